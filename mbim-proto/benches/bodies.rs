//! Decoding and encoding the five most used bodies: time and allocations for each message.
//!
//! `cargo bench -p mbim-proto`. Decoding allocates for owned strings only, and for lists that are longer than usual; encoding goes into a buffer that
//! is used again and allocates nothing.
#![allow(missing_docs, reason = "divan makes the functions")]

use divan::{AllocProfiler, Bencher, black_box};
use mbim_proto::service::basic_connect::{
    ConnectInfo, ConnectSet, ContextIpType, IpConfiguration, IpConfigurationAvailable, Ipv4Element, Ipv6Element,
    RegisterStateInfoV2, RsrpSnrInfo, SignalStateV2, SubscriberReady,
};
use mbim_proto::{Body, list, service::context_type};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// A body with the contents of a usual session.
trait Usual: Body {
    fn usual() -> Self;
}

impl Usual for SubscriberReady {
    fn usual() -> Self {
        Self {
            subscriber_id: "001010123456789".into(),
            sim_icc_id: "8999101000000000017".into(),
            telephone_numbers: list!["+15550100".into()],
            ..Self::default()
        }
    }
}

impl Usual for RegisterStateInfoV2 {
    fn usual() -> Self {
        Self { provider_id: "00101".into(), provider_name: "Test network".into(), ..Self::default() }
    }
}

impl Usual for ConnectSet {
    fn usual() -> Self {
        Self {
            access_string: "internet".into(),
            user_name: "user".into(),
            password: "password".into(),
            ip_type: ContextIpType::IPV4V6,
            context_type: context_type::INTERNET,
            ..Self::default()
        }
    }
}

impl Usual for ConnectInfo {
    fn usual() -> Self {
        Self { context_type: context_type::INTERNET, ..Self::default() }
    }
}

impl Usual for IpConfiguration {
    fn usual() -> Self {
        let all = IpConfigurationAvailable(0xf);
        Self {
            ipv4_configuration_available: all,
            ipv6_configuration_available: all,
            ipv4_address: list![Ipv4Element { on_link_prefix_length: 30, ipv4_address: [10, 64, 1, 2].into() }],
            ipv6_address: list![Ipv6Element { on_link_prefix_length: 64, ipv6_address: [7; 16].into() }],
            ipv4_gateway: Some([10, 64, 1, 1].into()),
            ipv6_gateway: Some([8; 16].into()),
            ipv4_dns_server: list![[10, 64, 0, 53].into(), [10, 64, 0, 54].into()],
            ipv6_dns_server: list![[9; 16].into()],
            ipv4_mtu: 1430,
            ipv6_mtu: 1430,
            ..Self::default()
        }
    }
}

impl Usual for SignalStateV2 {
    fn usual() -> Self {
        Self { rssi: 99, rsrp_snr: list![RsrpSnrInfo { rsrp: 75, ..Default::default() }], ..Self::default() }
    }
}

#[divan::bench(types = [SubscriberReady, RegisterStateInfoV2, ConnectSet, ConnectInfo, IpConfiguration, SignalStateV2])]
fn decode<B: Usual>(bencher: Bencher<'_, '_>) {
    let wire = B::usual().to_vec();
    bencher.bench_local(|| B::decode(black_box(&wire)));
}

#[divan::bench(types = [SubscriberReady, RegisterStateInfoV2, ConnectSet, ConnectInfo, IpConfiguration, SignalStateV2])]
fn encode<B: Usual>(bencher: Bencher<'_, '_>) {
    let body = B::usual();
    let mut wire = Vec::with_capacity(4096);
    bencher.bench_local(|| {
        wire.clear();
        black_box(&body).encode(&mut wire);
        black_box(&wire).len()
    });
}
