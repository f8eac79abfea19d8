//! What large packets have in common that pass between the kernel and a TUN device: the header before them, and the sums
//! in them.

/// Octets of `struct virtio_net_hdr`. `[linux/virtio_net.h]`
pub(super) const HEADER: usize = 10;
/// `VIRTIO_NET_HDR_F_NEEDS_CSUM`: the sum is still to be made.
pub(super) const NEEDS_SUM: u8 = 1;
/// `VIRTIO_NET_HDR_GSO_TCPV4`.
pub(super) const SEGMENTS_V4: u8 = 1;
/// `VIRTIO_NET_HDR_GSO_TCPV6`.
pub(super) const SEGMENTS_V6: u8 = 4;
/// Octets of a packet at most.
pub(super) const LONGEST: usize = 65_535;
/// Protocol number of TCP.
pub(super) const TCP: u8 = 6;
/// The flag of a TCP segment that ends what was written at once.
pub(super) const PUSH: u8 = 0x08;

/// Puts a number where it stands in a packet; `None` = beyond its end.
pub(super) fn put(octets: &mut [u8], at: usize, value: u16) -> Option<()> {
    octets.get_mut(at..at + 2)?.copy_from_slice(&value.to_be_bytes());
    Some(())
}

/// The sum of the Internet checksum, not yet complemented, on top of another one. `[RFC1071]`
pub(super) fn sum(start: u32, octets: &[u8]) -> u16 {
    let mut sum = u64::from(start);
    let mut words = octets.chunks_exact(4);
    for word in &mut words {
        sum += word.first_chunk().map_or(0, |word| u64::from(u32::from_be_bytes(*word)));
    }
    let mut rest = [0; 4];
    for (to, from) in rest.iter_mut().zip(words.remainder()) {
        *to = *from;
    }
    sum += u64::from(u32::from_be_bytes(rest));
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    u16::try_from(sum).unwrap_or(0)
}
