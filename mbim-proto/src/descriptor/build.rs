//! Making descriptors: what the function side shows.

use alloc::vec::Vec;

use super::functional::{self, Ncm};
use super::read::{
    ASSOCIATION, CLASS_COMMUNICATION, CLASS_DATA, COMPANION, CONFIGURATION, CS_INTERFACE, DEVICE, ENDPOINT, INTERFACE,
    PROTOCOL_MBIM, PROTOCOL_NCM, SUBCLASS_MBIM, SUBCLASS_NCM,
};
use super::{Configuration, Descriptors, Device, Endpoint, Function, Pairing};

const BULK: u8 = 2;
const INTERRUPT: u8 = 3;

impl Device {
    /// Bytes of the descriptor.
    pub const SIZE: u8 = 18;

    /// The 18 bytes.
    pub const fn encode(&self) -> [u8; Self::SIZE as usize] {
        let ([u0, u1], [v0, v1]) = (self.usb.to_le_bytes(), self.vendor.to_le_bytes());
        let ([p0, p1], [r0, r1]) = (self.product.to_le_bytes(), self.release.to_le_bytes());
        let ([class, subclass, protocol], [maker, product, serial]) = (self.class, self.strings);
        let (packet, configurations) = (self.max_packet_0, self.configurations);
        [
            Self::SIZE,
            DEVICE,
            u0,
            u1,
            class,
            subclass,
            protocol,
            packet,
            v0,
            v1,
            p0,
            p1,
            r0,
            r1,
            maker,
            product,
            serial,
            configurations,
        ]
    }
}

impl Descriptors {
    /// All bytes, as sysfs shows them.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.device.encode().to_vec();
        for one in &self.configurations {
            one.append(&mut out);
        }
        out
    }
}

impl Configuration {
    /// Bytes of the configuration's own descriptor.
    pub const SIZE: u8 = 9;

    /// The configuration with everything in it, as GET_DESCRIPTOR gives it. [`refused`](Self::refused) is not part of it.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.append(&mut out);
        out
    }

    fn append(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let interfaces = u8::try_from(self.functions.len() * 2).unwrap_or(u8::MAX);
        let (value, attributes, power) = (self.value, self.attributes, self.max_power);
        out.extend([Self::SIZE, CONFIGURATION, 0, 0, interfaces, value, 0, attributes, power]);
        for function in &self.functions {
            function.append(out);
        }
        // No more than 127 functions with two interfaces each have numbers: far below 64 KiB.
        let total = u16::try_from(out.len() - start).unwrap_or(u16::MAX);
        if let Some(place) = out.get_mut(start + 2..start + 4) {
            place.copy_from_slice(&total.to_le_bytes());
        }
    }
}

impl Function {
    fn append(&self, out: &mut Vec<u8>) {
        if self.pairing != Pairing::Union {
            let (first, last) = (self.communication.min(self.data), self.communication.max(self.data));
            let count = (last - first).saturating_add(1);
            out.extend([8, ASSOCIATION, first, count, CLASS_COMMUNICATION, SUBCLASS_MBIM, 0, 0]);
        }
        // The setting that is not MBIM stands at 0 in a function that can be both.
        let ncm = self.ncm.map(|ncm| (ncm, u8::from(self.communication_alternate == 0)));
        match ncm {
            Some((ncm, at)) if at < self.communication_alternate => {
                self.append_ncm(&ncm, at, out);
                self.append_mbim(out);
            }
            Some((ncm, at)) => {
                self.append_mbim(out);
                self.append_ncm(&ncm, at, out);
            }
            None => self.append_mbim(out),
        }
        if self.data_alternate != 0 {
            let protocol = if ncm.is_some() { PROTOCOL_NCM } else { PROTOCOL_MBIM };
            interface(self.data, 0, 0, [CLASS_DATA, 0, protocol], out);
        }
        if ncm.is_some() {
            let at = if self.data_alternate == 1 { 2 } else { 1 };
            self.append_transfer(at, PROTOCOL_NCM, out);
        }
        self.append_transfer(self.data_alternate, PROTOCOL_MBIM, out);
    }

    fn append_mbim(&self, out: &mut Vec<u8>) {
        let class = [CLASS_COMMUNICATION, SUBCLASS_MBIM, 0];
        interface(self.communication, self.communication_alternate, 1, class, out);
        self.append_group(out);
        out.extend(self.mbim.bytes());
        if let Some(extended) = &self.extended {
            out.extend(extended.bytes());
        }
        endpoint(&self.interrupt, INTERRUPT, out);
    }

    fn append_ncm(&self, ncm: &Ncm, alternate: u8, out: &mut Vec<u8>) {
        interface(self.communication, alternate, 1, [CLASS_COMMUNICATION, SUBCLASS_NCM, 0], out);
        self.append_group(out);
        out.extend(ncm.ethernet.bytes());
        out.extend(ncm.bytes());
        endpoint(&self.interrupt, INTERRUPT, out);
    }

    /// Header and union, which come first in every setting.
    fn append_group(&self, out: &mut Vec<u8>) {
        out.extend([5, CS_INTERFACE, functional::HEADER, 0x20, 0x01]);
        if self.pairing != Pairing::Association {
            out.extend([5, CS_INTERFACE, functional::UNION, self.communication, self.data]);
        }
    }

    fn append_transfer(&self, alternate: u8, protocol: u8, out: &mut Vec<u8>) {
        interface(self.data, alternate, 2, [CLASS_DATA, 0, protocol], out);
        endpoint(&self.bulk_in, BULK, out);
        endpoint(&self.bulk_out, BULK, out);
    }
}

fn interface(number: u8, alternate: u8, endpoints: u8, class: [u8; 3], out: &mut Vec<u8>) {
    let [class, subclass, protocol] = class;
    out.extend([9, INTERFACE, number, alternate, endpoints, class, subclass, protocol, 0]);
}

fn endpoint(one: &Endpoint, transfer: u8, out: &mut Vec<u8>) {
    let [low, high] = one.max_packet.to_le_bytes();
    out.extend([7, ENDPOINT, one.address, transfer, low, high, one.interval]);
    if let Some(burst) = one.burst {
        // bmAttributes says no streams; wBytesPerInterval is what one service interval moves.
        let [low, high] = if transfer == INTERRUPT { one.max_packet.to_le_bytes() } else { [0, 0] };
        out.extend([6, COMPANION, burst, 0, low, high]);
    }
}
