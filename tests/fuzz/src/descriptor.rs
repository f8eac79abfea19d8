//! Bytes as what sysfs shows of a USB device.

use mbim_proto::descriptor::{Configuration, Descriptors, Function, MOST_ALTERNATES};

/// # Panics
/// When an error points behind the bytes, when more is found than could be there, or when a function that was read is
/// not written and read again as the same.
pub fn run(data: &[u8]) {
    let all = match Descriptors::parse(data) {
        Ok(all) => all,
        Err(malformed) => {
            assert!(malformed.offset <= data.len(), "{malformed}");
            return;
        }
    };
    if let Some(cut) = all.cut {
        assert!(cut.offset <= data.len(), "{cut}");
    }
    assert!(all.configurations.len() * usize::from(Configuration::SIZE) <= data.len());
    for one in &all.configurations {
        assert!(one.functions.len() + one.refused.len() <= MOST_ALTERNATES);
        assert!(
            one.refused.iter().all(|malformed| malformed.offset <= data.len() && !malformed.to_string().is_empty())
        );
        one.functions.iter().for_each(check);
    }
    let again = Descriptors::parse(&all.encode()).expect("the device is whole");
    assert_eq!(again.device, all.device);
}

/// Functions of a hostile device may claim each other's interfaces; alone each comes back as it was.
fn check(function: &Function) {
    let one =
        Configuration { value: 1, attributes: 0x80, max_power: 1, functions: vec![*function], refused: Vec::new() };
    assert_eq!(Configuration::decode(&one.encode()).as_ref(), Ok(&one), "what is made is read");
    let ends = [function.interrupt, function.bulk_in, function.bulk_out];
    assert!(ends.iter().all(|one| (1..=1024).contains(&one.max_packet) && one.address & 0x0f != 0));
    assert_ne!(function.communication, function.data);
}
