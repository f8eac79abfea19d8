//! Device services: one file each, one declaration per body, and the macro that makes everything else of it.
//!
//! A declaration `cid 2 SUBSCRIBER_READY_STATUS { response, notify SubscriberReady { … } }` becomes the struct, decode,
//! encode, redacting `Debug`, a [`Value`](crate::Value) tree for text and JSON, a row of the [registry](crate::registry)
//! and property tests. A field is `name: Type` in the type's own layout, or `name: Type = Codec` for one of
//! [the others](crate::codec::Codec). `[count of array]` before a field stands for a count on the wire that the struct
//! does not hold; the array's codec takes it as argument. `(mbimex 3)` before a body says since which release it replaces
//! the older one. `choice!` declares layouts of which a number in front of them chooses one.

pub mod atds;
pub mod auth;
pub mod basic_connect;
pub mod compal_at;
pub mod dss;
pub mod fibocom_at;
pub mod google;
pub mod intel;
pub mod ms_basic_connect_ext;
pub mod ms_firmware_id;
pub mod ms_host_shutdown;
pub mod ms_sar;
pub mod ms_uicc_low_level;
pub mod ms_voice_extensions;
pub mod phonebook;
pub mod proxy_control;
pub mod qdu;
pub mod qmi;
pub mod quectel;
pub mod sms;
pub mod stk;
pub mod ussd;

use alloc::vec::Vec;

use crate::codec::Field;
use crate::{EncodeError, Malformed, Uuid};

/// What a buffer is sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// In a command: asks.
    Query,
    /// In a command: changes.
    Set,
    /// In the answer to either.
    Response,
    /// Unasked, from the function.
    Notify,
}

impl Operation {
    /// The name in kebab-case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Set => "set",
            Self::Response => "response",
            Self::Notify => "notify",
        }
    }
}

/// Release of Microsoft's extensions in force for a session. A higher one contains the lower ones. [MBIMEx2.0]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum MbimEx {
    /// 1.0, and devices that know no extensions.
    #[default]
    V1,
    /// 2.0: 5G non-standalone.
    V2,
    /// 3.0: 5G standalone.
    V3,
    /// 4.0: network slices.
    V4,
}

impl MbimEx {
    /// All releases, oldest first.
    pub const ALL: [Self; 4] = [Self::V1, Self::V2, Self::V3, Self::V4];

    /// The BCD number that VERSION carries.
    pub const fn bcd(self) -> u16 {
        match self {
            Self::V1 => 0x0100,
            Self::V2 => 0x0200,
            Self::V3 => 0x0300,
            Self::V4 => 0x0400,
        }
    }

    /// The newest known release that is not above this BCD number.
    pub const fn from_bcd(bcd: u16) -> Self {
        match bcd {
            0x0400.. => Self::V4,
            0x0300.. => Self::V3,
            0x0200.. => Self::V2,
            _ => Self::V1,
        }
    }
}

/// An information buffer of one command, answer or indication.
pub trait Body: Field + Clone + PartialEq + core::fmt::Debug {
    /// The type's name.
    const NAME: &'static str;
    /// The device service.
    const SERVICE: Uuid;
    /// The command within the service.
    const CID: u32;
    /// What the body is sent for.
    const OPERATIONS: &'static [Operation];
    /// The release that brought this layout.
    const SINCE: MbimEx;

    /// Reads an information buffer. Bytes behind the known fields are legal.
    ///
    /// # Errors
    /// [`Malformed`] naming the field and its offset in `buf`.
    fn decode(buf: &[u8]) -> Result<Self, Malformed> {
        crate::codec::decode(Self::NAME, buf)
    }

    /// Appends the information buffer to `out`. Lengths that only a host must keep are not checked: see
    /// [`encode_checked`](Self::encode_checked).
    fn encode(&self, out: &mut Vec<u8>) {
        crate::codec::encode(self, out);
    }

    /// The information buffer.
    fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }

    /// Appends the information buffer to `out` if a host may send it.
    ///
    /// # Errors
    /// [`EncodeError`] naming the field and its limit; nothing is appended.
    fn encode_checked(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.check("")?;
        self.encode(out);
        Ok(())
    }
}

/// One structure: its fields become a struct and a [`Field`].
macro_rules! structure {
    (@codec) => { $crate::codec::Plain };
    (@codec $codec:expr) => { $codec };
    ($(#[$meta:meta])* $Name:ident {
        $( $([$count:ident of $array:ident])* $(#[$doc:meta])* $field:ident : $ty:ty $(= $codec:expr)? ),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $Name { $( $(#[$doc])* pub $field: $ty, )* }

        impl Default for $Name {
            fn default() -> Self {
                <Self as $crate::codec::Field>::zero()
            }
        }

        #[allow(unused_variables, reason = "not every structure has counts, codecs or fields")]
        impl $crate::codec::Field for $Name {
            fn zero() -> Self {
                $( $(let $count = 0;)* let $field = $crate::codec::Codec::<$ty>::zero(&structure!(@codec $($codec)?)); )*
                Self { $($field),* }
            }
            fn read(r: &mut $crate::codec::Reader<'_>) -> Result<Self, $crate::Malformed> {
                r.structure(|r| {
                    $(
                        $(let $count: u32 = $crate::codec::Field::read(r.named(stringify!($count)))?;)*
                        let $field: $ty =
                            $crate::codec::Codec::read(&structure!(@codec $($codec)?), r.named(stringify!($field)))?;
                    )*
                    Ok(Self { $($field),* })
                })
            }
            fn write(&self, w: &mut $crate::codec::Writer<'_>) {
                w.structure(|w| {
                    $(
                        $(let $count = u32::try_from(self.$array.len()).unwrap_or(u32::MAX);
                          $crate::codec::Field::write(&$count, w);)*
                        $crate::codec::Codec::write(&structure!(@codec $($codec)?), &self.$field, w);
                    )*
                });
            }
            fn check(&self, _: &'static str) -> Result<(), $crate::EncodeError> {
                $(
                    $(let $count = u32::try_from(self.$array.len()).unwrap_or(u32::MAX);)*
                    $crate::codec::Codec::check(&structure!(@codec $($codec)?), &self.$field, stringify!($field))?;
                )*
                Ok(())
            }
            fn value(&self, reveal: bool) -> $crate::Value {
                $( $(let $count = u32::try_from(self.$array.len()).unwrap_or(u32::MAX);)* )*
                $crate::Value::Object(alloc::vec![$(
                    $((stringify!($count), $crate::Value::Number($count.into())),)*
                    (
                        stringify!($field),
                        $crate::codec::Codec::value(&structure!(@codec $($codec)?), &self.$field, reveal),
                    ),
                )*])
            }
            fn disguise(&mut self, marked: bool, by: &mut dyn $crate::Disguise) {
                $(
                    $(let $count = u32::try_from(self.$array.len()).unwrap_or(u32::MAX);)*
                    $crate::codec::Codec::disguise(&structure!(@codec $($codec)?), &mut self.$field, marked, by);
                )*
            }
            #[cfg(any(test, feature = "generate"))]
            fn generate(g: &mut $crate::generate::Entropy<'_>) -> Self {
                $( $(let $count = 0;)* let $field = $crate::codec::Codec::<$ty>::generate(&structure!(@codec $($codec)?), g); )*
                Self { $($field),* }
            }
        }
    };
}

/// Structures that bodies hold.
macro_rules! structures {
    ($( $(#[$doc:meta])* struct $Struct:ident { $($fields:tt)* } )*) => {
        $( structure! { $(#[$doc])* $Struct { $($fields)* } } )*
    };
}

/// A number, and right behind it, in the same structure, the layout that the number chooses. A number without a layout
/// keeps nothing but itself.
macro_rules! choice {
    ($(#[$meta:meta])* $Name:ident by $tag:ident : $Tag:ident {
        $( $(#[$doc:meta])* $CONST:ident : $Variant:ident ( $field:ident : $ty:ty $(= $codec:expr)? ) ),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $Name {
            $( $(#[$doc])* $Variant($ty), )*
            /// A number that has no layout.
            Other($Tag),
        }

        impl Default for $Name {
            fn default() -> Self {
                <Self as $crate::codec::Field>::zero()
            }
        }

        impl $crate::codec::Field for $Name {
            fn zero() -> Self {
                match <$Tag as $crate::codec::Field>::zero() {
                    $( $Tag::$CONST => Self::$Variant($crate::codec::Codec::zero(&structure!(@codec $($codec)?))), )*
                    other => Self::Other(other),
                }
            }
            fn read(r: &mut $crate::codec::Reader<'_>) -> Result<Self, $crate::Malformed> {
                Ok(match <$Tag as $crate::codec::Field>::read(r.named(stringify!($tag)))? {
                    $( $Tag::$CONST => Self::$Variant($crate::codec::Codec::read(
                        &structure!(@codec $($codec)?),
                        r.named(stringify!($field)),
                    )?), )*
                    other => Self::Other(other),
                })
            }
            fn write(&self, w: &mut $crate::codec::Writer<'_>) {
                match self {
                    $( Self::$Variant(value) => {
                        $crate::codec::Field::write(&$Tag::$CONST, w);
                        $crate::codec::Codec::write(&structure!(@codec $($codec)?), value, w);
                    } )*
                    Self::Other(other) => $crate::codec::Field::write(other, w),
                }
            }
            fn check(&self, _: &'static str) -> Result<(), $crate::EncodeError> {
                match self {
                    $( Self::$Variant(value) => {
                        $crate::codec::Codec::check(&structure!(@codec $($codec)?), value, stringify!($field))
                    } )*
                    Self::Other(_) => Ok(()),
                }
            }
            fn value(&self, reveal: bool) -> $crate::Value {
                $crate::Value::Object(match self {
                    $( Self::$Variant(value) => alloc::vec![
                        (stringify!($tag), $crate::codec::Field::value(&$Tag::$CONST, reveal)),
                        (
                            stringify!($field),
                            $crate::codec::Codec::<$ty>::value(&structure!(@codec $($codec)?), value, reveal),
                        ),
                    ], )*
                    Self::Other(other) => alloc::vec![(stringify!($tag), $crate::codec::Field::value(other, reveal))],
                })
            }
            fn disguise(&mut self, marked: bool, by: &mut dyn $crate::Disguise) {
                match self {
                    $( Self::$Variant(value) => {
                        $crate::codec::Codec::disguise(&structure!(@codec $($codec)?), value, marked, by);
                    } )*
                    Self::Other(_) => {}
                }
            }
            #[cfg(any(test, feature = "generate"))]
            fn generate(g: &mut $crate::generate::Entropy<'_>) -> Self {
                // Small numbers, so that each layout comes up, and some without one.
                match $Tag(u32::from(g.byte() % 4)) {
                    $( $Tag::$CONST => {
                        Self::$Variant($crate::codec::Codec::<$ty>::generate(&structure!(@codec $($codec)?), g))
                    } )*
                    other => Self::Other(other),
                }
            }
        }
    };
}

/// A service: CIDs with their bodies.
macro_rules! service {
    (@since) => { $crate::MbimEx::V1 };
    (@since 2) => { $crate::MbimEx::V2 };
    (@since 3) => { $crate::MbimEx::V3 };
    (@since 4) => { $crate::MbimEx::V4 };
    (@operation query) => { $crate::Operation::Query };
    (@operation set) => { $crate::Operation::Set };
    (@operation response) => { $crate::Operation::Response };
    (@operation notify) => { $crate::Operation::Notify };
    (
        service $service:expr;
        $(
            $(#[doc = $cdoc:literal])*
            cid $number:literal $CID:ident {
                $( $(#[$bdoc:meta])* $((mbimex $since:tt))? $($operation:ident),+ $Body:ident { $($fields:tt)* } )*
            }
        )*
    ) => {
        /// The service's UUID.
        pub const SERVICE: $crate::Uuid = $service;

        /// Commands of this service by name.
        pub mod cid {
            $( $(#[doc = $cdoc])* pub const $CID: u32 = $number; )*
        }

        /// What each command is for.
        mod doc {
            $( pub(super) const $CID: &str = concat!($($cdoc),*); )*
        }

        /// What the registry knows of this service.
        pub(crate) const ROWS: &[$crate::registry::Row] = &[
            $( $( $crate::registry::Row::of::<$Body>(stringify!($CID), doc::$CID), )* )*
        ];

        $( $(
            structure! { $(#[$bdoc])* $Body { $($fields)* } }

            impl $crate::Body for $Body {
                const NAME: &'static str = stringify!($Body);
                const SERVICE: $crate::Uuid = SERVICE;
                const CID: u32 = $number;
                const OPERATIONS: &'static [$crate::Operation] = &[$(service!(@operation $operation)),+];
                const SINCE: $crate::MbimEx = service!(@since $($since)?);
            }
        )* )*

        #[cfg(test)]
        #[allow(non_snake_case, reason = "each test has the name of its body")]
        mod properties {
            $( $( #[test] fn $Body() { $crate::testing::properties::<super::$Body>(); } )* )*
        }
    };
}

pub(crate) use {choice, service, structure, structures};

macro_rules! uuids {
    ($($(#[$meta:meta])* $CONST:ident $name:literal $number:literal)*) => {
        $( $(#[$meta])* #[doc = concat!("`", $name, "`.")] pub const $CONST: Uuid = Uuid::from_u128($number); )*

        pub(super) const NAMES: &[(Uuid, &str)] = &[$(($CONST, $name)),*];
    };
}

/// The name of a service or a context type in kebab-case.
pub fn uuid_name(uuid: Uuid) -> Option<&'static str> {
    let uuid = canonical(uuid);
    NAMES.iter().chain(context_type::NAMES).find(|(known, _)| *known == uuid).map(|(_, name)| *name)
}

/// The UUID that devices use, for a service that documents spell in two ways: newer pages print `9d3a` where devices
/// send `0d3a` in [`MS_BASIC_CONNECT_EXT`]. Both are accepted. [MBIMEx1.0]
pub const fn canonical(uuid: Uuid) -> Uuid {
    match uuid.as_u128() {
        0x3d01dcc5_fef5_4d05_9d3a_bef7058e9aaf => MS_BASIC_CONNECT_EXT,
        _ => uuid,
    }
}

uuids! {
    BASIC_CONNECT "basic-connect" 0xa289cc33_bcbb_8b4f_b6b0_133ec2aae6df
    SMS "sms" 0x533fbeeb_14fe_4467_9f90_33a223e56c3f
    USSD "ussd" 0xe550a0c8_5e82_479e_82f7_10abf4c3351f
    PHONEBOOK "phonebook" 0x4bf38476_1e6a_41db_b1d8_bed289c25bdb
    STK "stk" 0xd8f20131_fcb5_4e17_8602_d6ed3816164c
    AUTH "auth" 0x1d2b5ff7_0aa1_48b2_aa52_50f15767174e
    DSS "dss" 0xc08a26dd_7718_4382_8482_6e0d583c4d0e
    MS_BASIC_CONNECT_EXT "ms-basic-connect-extensions" 0x3d01dcc5_fef5_4d05_0d3a_bef7058e9aaf
    MS_UICC_LOW_LEVEL "ms-uicc-low-level-access" 0xc2f6588e_f037_4bc9_8665_f4d44bd09367
    MS_SAR "ms-sar" 0x68223d04_9f6c_4e0f_822d_28441fb72340
    MS_FIRMWARE_ID "ms-firmware-id" 0xe9f7dea2_feaf_4009_93ce_90a3694103b6
    MS_HOST_SHUTDOWN "ms-host-shutdown" 0x883b7c26_985f_43fa_9804_27d7fb80959c
    MS_VOICE_EXTENSIONS "ms-voice-extensions" 0x8d8b9eba_37be_449b_8f1e_61cb034a702e
    QMI "qmi" 0xd1a30bc2_f97a_6e43_bf65_c7e24fb0f0d3
    QDU "qdu" 0x6427015f_579d_48f5_8c54_f43ed1e76f83
    ATDS "atds" 0x5967bdcc_7fd2_49a2_9f5c_b2e70e527db3
    INTEL_FIRMWARE_UPDATE "intel-firmware-update" 0x0ed374cb_f835_4474_bc11_3b3fd76f5641
    INTEL_THERMAL_RF "intel-thermal-rf" 0xfdc22af2_f441_4d46_af8d_259fcdde4635
    INTEL_MUTUAL_AUTHENTICATION "intel-mutual-authentication" 0xf85d46ef_ab26_4081_9868_4d183c0a3aec
    INTEL_TOOLS "intel-tools" 0x4ada4962_b988_46c3_87a7_97f20f994abb
    INTEL_AT_TUNNEL "intel-at-tunnel" 0xda138c64_6515_4893_92b2_a1e1ca7c81ca
    QUECTEL "quectel" 0x11223344_5566_7788_99aa_bbccddeeff11
    GOOGLE "google" 0x3e1e92cf_c53d_4f14_85d0_a86ad9e12245
    FIBOCOM_AT "fibocom-at" 0xffffffff_abca_4b11_a4e2_f2fc87f94488
    COMPAL_AT "compal-at" 0xa2a32a97_cab1_4f57_9ae1_451c74dda957
    PROXY_CONTROL "proxy-control" 0x838cf7fb_8d0d_4d7f_871e_d71dbefbb39b
    MULTICARRIER "multicarrier" 0x8b569648_628d_4653_9b9f_1025404424e1
    MULTIFLOW "multiflow" 0x8d8f32d9_f7c2_4419_b28b_dedcde205ed8
    INTEL_SAR "intel-sar" 0x10e40d69_375a_42ce_a297_906164f2754c
    INTEL_ADAPTIVE_CLOCK "intel-adaptive-clock" 0xed19555d_a6ac_4327_8eb1_fc022e5e2388
    INTEL_TRACE "intel-trace" 0x59a7f323_fe5a_4301_b185_b8ea9e6167b7
    INTEL_NRTC "intel-nrtc" 0x2b6d8c5a_0ca9_418f_8aac_1a9dc8e32866
    INTEL_USB_PROFILE "intel-usb-profile" 0xfa142322_166b_4fd9_89f0_99be90ae8e3d
    INTEL_CIQ "intel-ciq" 0x6a2a8150_abca_4b11_a4e2_f2fc879f5481
}

/// What a context is for. [MBIM1.0 10.5.12]
pub mod context_type {
    use crate::Uuid;

    uuids! {
        NONE "none" 0xb43f758c_a560_4b46_b35e_c5869641fb54
        INTERNET "internet" 0x7e5e2a7e_4e6f_7272_736b_656e7e5e2a7e
        VPN "vpn" 0x9b9f7bbe_8952_44b7_83ac_ca41318df7a0
        VOICE "voice" 0x88918294_0ef4_4396_8cca_a8588fbc02b2
        VIDEO_SHARE "video-share" 0x05a2a716_7c34_4b4d_9a91_c5ef0c7aaacc
        PURCHASE "purchase" 0xb3272496_ac6c_422b_a8c0_acf687a27217
        IMS "ims" 0x21610d01_3074_4bce_9425_b53a07d697d6
        MMS "mms" 0x46726664_7269_6bc6_9624_d1d35389aca9
        LOCAL "local" 0xa57a9afc_b09f_45d7_bb40_033c39f60db9
        ADMIN "admin" 0x5f7e4c2e_e80b_40a9_a239_f0abcfd11f4b
        APP "app" 0x74d88a3d_dfbd_4799_9a8c_7310a37bb2ee
        XCAP "xcap" 0x50d378a7_baa5_4a50_b872_3fe5bb463411
        TETHERING "tethering" 0x5e4e0601_48dc_4e2b_acb8_08b4016bbaac
        EMERGENCY "emergency" 0x5f41adb8_204e_4d31_9da8_b3c970e360f2
    }
}
