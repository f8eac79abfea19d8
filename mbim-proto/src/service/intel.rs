//! Services of Intel's modems, and of those that have inherited them.

pub mod at_tunnel;
pub mod firmware_update;
pub mod mutual_authentication;
pub mod thermal_rf;
pub mod tools;
