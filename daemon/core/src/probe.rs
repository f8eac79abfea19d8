//! Connectivity: how to judge what a probe saw, and when to probe again. The shell runs the probes. `[OPER 4]`

pub mod budget;
pub mod evidence;
pub mod schedule;
pub mod seen;
pub mod verdict;
