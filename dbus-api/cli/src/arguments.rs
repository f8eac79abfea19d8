//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::bus::Bus;

/// mbimd at the command line.
///
/// Exit status: 0 done, 1 it failed, 2 usage, 3 the daemon is not running, 4 no such modem, 5 not authorised,
/// 6 invalid document or data.
#[derive(Debug, Parser)]
#[command(name = "mbimctl", version, max_term_width = 100, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// Reads the command line; ends the program where it is wrong, or asks for help.
    pub(crate) fn read() -> Self {
        Self::lookup().unwrap_or_else(Self::parse)
    }

    /// A lookup that is right. All commands together take longer to describe than a lookup takes: it is tried without them,
    /// and anything else is left to the whole of them.
    fn lookup() -> Option<Self> {
        std::env::args_os().nth(1).filter(|word| word == "apn")?;
        let Short { common, command: Lookup::Apn(question) } = Short::try_parse().ok()?;
        Some(Self { common, command: Command::Apn(question) })
    }
}

#[derive(Debug, Parser)]
#[command(name = "mbimctl", disable_help_flag = true, disable_help_subcommand = true)]
struct Short {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Lookup,
}

#[derive(Debug, Subcommand)]
enum Lookup {
    Apn(Apn),
}

/// What every command takes.
#[derive(Args, Debug)]
pub(crate) struct Common {
    /// Print JSON: one object, one per line for monitor and trace
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Where the daemon is: system, session, or a D-Bus address
    #[arg(long, global = true, value_name = "BUS", default_value_t)]
    pub(crate) bus: Bus,
}

/// What to do. MODEM is a number of `list`, a port, an interface or a USB id; without it, the only modem.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the modems
    List,
    /// Show everything about a modem
    Status(Which),
    /// Lead to the operator's page when the daemon asks for it, and ask about signers of documents, until interrupted:
    /// by notifications of the desktop, or, about signers alone, at this terminal
    Agent(Agent),
    /// Follow what changes, until interrupted
    Monitor,
    /// Say why a modem is or is not online, link by link
    Explain(Which),
    /// Show who the SIM says the subscriber is
    Identity {
        #[command(flatten)]
        which: Which,
        /// In full instead of masked (needs authorisation)
        #[arg(long)]
        reveal: bool,
    },
    /// Connect, and wait until it is done
    Connect(Connect),
    /// Disconnect, and stay disconnected
    Disconnect(Disconnect),
    /// Show or change what is stored for the SIM: autoconnect, roaming, apn, metric, pin-store,
    /// operator (COUNTRY/NAME, where several fit), plan (prepaid or postpaid), metered (yes or no),
    /// hand-over (ask, always, never-identify)
    Settings {
        /// Which modem, and what to do
        #[arg(
            value_name = "ARGUMENT",
            num_args = 0..=4,
            help = "[MODEM] [get [KEY] | set KEY VALUE]; the value `default` takes a setting back"
        )]
        words: Vec<String>,
    },
    /// Switch the radio
    Radio {
        /// on or off
        state: Switch,
        #[command(flatten)]
        which: Which,
    },
    /// PIN of the SIM; the digits are asked for, or read from standard input, one line each
    Pin {
        /// What to do with the PIN
        operation: PinOperation,
        #[command(flatten)]
        which: Which,
    },
    /// Show the signal now
    Signal(Which),
    /// Show how much was used with the SIM, as this machine counted it
    Usage(Usage),
    /// Show the operator's page for buying or activating a plan
    Portal {
        #[command(flatten)]
        which: Which,
        /// Open it in the browser
        #[arg(long)]
        open: bool,
        /// A QR code of it too, for a telephone's camera
        #[arg(long, conflicts_with = "open")]
        qr: bool,
    },
    /// Operators' account-provisioning documents
    Provision {
        #[command(subcommand)]
        command: Provision,
    },
    /// Show what is said to a modem and by it, until interrupted (needs authorisation)
    Trace(Trace),
    /// Print the hardware ids of an identity, in match order (offline)
    Hwid(Hwid),
    /// Print the operator and its access points for an identity, with what matched (offline)
    Apn(Apn),
    /// Print the hand-over URL for a subscriber (offline)
    PortalUrl(PortalUrl),
    /// Decode MBIM control messages (offline)
    Decode(Decode),
    /// Answer as the modem of a capture did (offline)
    Replay(Replay),
}

/// Which modem.
#[derive(Args, Clone, Debug)]
pub(crate) struct Which {
    /// Number, port, interface or USB id; without it, the only one
    pub(crate) modem: Option<String>,
}

/// Which modem, and how long to wait.
#[derive(Args, Clone, Debug)]
pub(crate) struct Wait {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Longest wait
    #[arg(long, value_name = "SECONDS", default_value_t = 180)]
    pub(crate) timeout: u32,
}

#[derive(Args, Debug)]
pub(crate) struct Trace {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Write a capture (pcapng) that Wireshark, decode and replay read, in place of text; - is standard output. It is made
    /// anonymous unless revealed
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
    /// Personal fields and secrets as they are
    #[arg(long)]
    pub(crate) reveal: bool,
    /// Replace who and where by others, the same ones throughout; a capture is written so in any case
    #[arg(long, conflicts_with = "reveal")]
    pub(crate) anonymise: bool,
    /// Begin the session with the modem anew, so that the trace holds all of it; what is connected is interrupted
    #[arg(long)]
    pub(crate) restart: bool,
    /// For a modem that ModemManager holds: through libmbim's proxy, by its port. Shows what the modem says unasked, and our own
    /// questions; what others say to it is told to nobody
    #[arg(long, value_name = "PORT", conflicts_with_all = ["modem", "restart"])]
    pub(crate) proxy: Option<PathBuf>,
    /// With --proxy: ask for the modem's state first
    #[arg(long, requires = "proxy")]
    pub(crate) ask: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Agent {
    /// By notifications, also where there is a terminal; without a terminal it is so anyway
    #[arg(long)]
    pub(crate) desktop: bool,
    /// Print the page and a QR code of it, for a machine without a desktop. Whoever sees the console sees who the
    /// subscriber is
    #[arg(long, conflicts_with = "desktop")]
    pub(crate) console: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Usage {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Forget it and begin anew from now (needs authorisation)
    #[arg(long)]
    pub(crate) reset: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Disconnect {
    #[command(flatten)]
    pub(crate) wait: Wait,
    /// This session, 0 to 255, and no other
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(..=255), default_value_t = 0)]
    pub(crate) session: u32,
}

#[derive(Args, Debug)]
pub(crate) struct Connect {
    #[command(flatten)]
    pub(crate) wait: Wait,
    /// This session, 0 to 255: those above 0 stand beside the default connection, each on an interface of its own
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(..=255), default_value_t = 0)]
    pub(crate) session: u32,
    /// What it is for: other access points than those for ordinary data, and a session of its own
    #[arg(long)]
    pub(crate) purpose: Option<Purpose>,
    /// A context that the operator's documents name, in a session of its own; status lists them
    #[arg(long, value_name = "NAME", conflicts_with_all = ["apn", "purpose"])]
    pub(crate) context: Option<String>,
    /// Try only this access point, once
    #[arg(long, value_name = "NAME")]
    pub(crate) apn: Option<String>,
    /// User name for --apn
    #[arg(long, requires = "apn", value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// File with the password for --apn; - is standard input
    #[arg(long, requires = "apn", value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// Authentication for --apn
    #[arg(long, requires = "apn")]
    pub(crate) auth: Option<Auth>,
    /// Address families for --apn
    #[arg(long, requires = "apn")]
    pub(crate) ip_type: Option<IpType>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Purpose {
    Internet,
    Tether,
    Mms,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Auth {
    None,
    Pap,
    Chap,
    #[value(name = "mschapv2")]
    MsChapV2,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum IpType {
    Ipv4,
    Ipv6,
    Ipv4v6,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum PinOperation {
    /// Enter the PIN that the modem waits for
    Enter,
    /// Ask for the PIN at every start
    Enable,
    /// Do not ask for the PIN at start
    Disable,
    /// Change the PIN
    Change,
    /// Unblock with the PUK
    Unblock,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Provision {
    /// Apply a document and print its results
    Apply(Apply),
    /// List the documents that came, over restarts, and what is being done
    List,
    /// Show one of them, with its results where the daemon still has them
    Show {
        /// Number of `list`; without it, the newest
        document: Option<u32>,
    },
    /// Take away what a document and all others of its operator for the same customer set
    Remove {
        /// Number of `list`
        document: u32,
    },
    /// Ask now for a newer document, where one said where it is
    Refresh {
        /// Number of `list`; without it, the newest that said so
        document: Option<u32>,
    },
    /// Check a document against the schema (offline); exit status 6 when it is not valid
    Validate {
        /// The document; - is standard input
        file: PathBuf,
    },
    /// Print the steps that applying a document would run, in order (offline)
    Plan {
        /// The document; - is standard input
        file: PathBuf,
    },
    /// Apply a document that was downloaded: as --source website, asking about its signer here
    Open {
        /// The document; - is standard input
        file: PathBuf,
        /// Wait for Enter at the end, for a terminal that closes with the program
        #[arg(long)]
        pause: bool,
    },
    /// List the signers that users approved, or revoke one
    Signers {
        /// SHA-256 of the certificate, as the list shows it
        #[arg(long, value_name = "FINGERPRINT")]
        revoke: Option<String>,
    },
    /// Sign a document, checking it before and the signature after (offline)
    Sign(Sign),
    /// Check the signature of a document and say what would come of it (offline); exit status 6 when it would be refused
    Verify(Verify),
    /// Make a root, and under it a key and certificate with extended validation, for tests (offline)
    TestCert(TestCert),
    /// Trust a root for signers of documents (offline)
    Trust(Trust),
}

#[derive(Args, Debug)]
pub(crate) struct Sign {
    /// The document; - is standard input
    pub(crate) file: PathBuf,
    /// Private key, PEM: RSA of 2048 bits or more, ECDSA on P-256 or P-384
    #[arg(long)]
    pub(crate) key: PathBuf,
    /// Certificate of the key, PEM; those that lead to the root in the same file or in further --cert
    #[arg(long, required = true)]
    pub(crate) cert: Vec<PathBuf>,
    /// Where the signed document goes; - is standard output
    #[arg(short, long = "out", value_name = "OUT")]
    pub(crate) out: PathBuf,
    /// Canonical form of what is signed
    #[arg(long, value_enum, default_value_t)]
    pub(crate) c14n: Canonicalisation,
    /// Algorithm of the signature; without it, what goes with the key and SHA-256 (SHA-384 with P-384)
    #[arg(long, value_enum)]
    pub(crate) algorithm: Option<Algorithm>,
    /// Algorithm of the digest
    #[arg(long, value_enum, default_value_t)]
    pub(crate) digest: Digest,
    /// Sign it although the schema refuses it, for tests
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Canonicalisation {
    #[default]
    Exclusive,
    Inclusive,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Digest {
    #[default]
    Sha256,
    Sha384,
    Sha512,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Algorithm {
    RsaSha256,
    RsaSha384,
    RsaSha512,
    EcdsaSha256,
    EcdsaSha384,
}

#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// The document; - is standard input
    pub(crate) file: PathBuf,
    /// Folder of trusted roots beside the system's; without it, /etc/mbimd/trust.d
    #[arg(long, value_name = "DIR")]
    pub(crate) trust: Option<PathBuf>,
    /// At this time, seconds since 1970, instead of now
    #[arg(long, value_name = "SECONDS")]
    pub(crate) at: Option<u64>,
    /// Accept SHA-1, as a daemon with signature-sha1 does
    #[arg(long)]
    pub(crate) sha1: bool,
}

#[derive(Args, Debug)]
pub(crate) struct TestCert {
    /// Name of the signer and of the files
    #[arg(long, default_value = "MBAPTestCert")]
    pub(crate) name: String,
    /// Folder for NAME.key, NAME.pem and NAMERoot.pem; what is there already is kept
    #[arg(short, long = "out", value_name = "DIR")]
    pub(crate) out: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Trust {
    /// The root's certificate, PEM
    #[arg(value_name = "CERT")]
    pub(crate) certificate: PathBuf,
    /// The folder; without it, /etc/mbimd/trust.d
    #[arg(long, value_name = "DIR")]
    pub(crate) trust: Option<PathBuf>,
    /// Policy that means extended validation under this root; without it, 2.23.140.1.1
    #[arg(long, value_name = "OID", conflicts_with = "no_ev")]
    pub(crate) policy: Vec<String>,
    /// Trust it without extended validation
    #[arg(long)]
    pub(crate) no_ev: bool,
    /// Trust it no more
    #[arg(long, conflicts_with_all = ["policy", "no_ev"])]
    pub(crate) remove: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Apply {
    /// The document; - is standard input
    pub(crate) file: PathBuf,
    /// Who gave it: the operator's program here, or the operator's site (must be signed)
    #[arg(long, value_enum, default_value_t = Source::App)]
    pub(crate) source: Source,
    /// Only say what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Wait for the activation too, which may take hours
    #[arg(long)]
    pub(crate) wait: bool,
    /// The modem; without it, the one whose SIM the document names
    #[arg(long)]
    pub(crate) modem: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Source {
    App,
    Website,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum CellClass {
    #[default]
    Gsm,
    Cdma,
}

#[derive(Args, Debug)]
pub(crate) struct Hwid {
    /// IMSI, or MIN with --cell-class cdma
    #[arg(long, value_name = "N", default_value = "")]
    pub(crate) imsi: String,
    /// Number of the card
    #[arg(long, value_name = "N", default_value = "")]
    pub(crate) iccid: String,
    /// Provider id (MCC and MNC)
    #[arg(long, value_name = "N", default_value = "")]
    pub(crate) provider_id: String,
    /// Provider name
    #[arg(long, value_name = "S", default_value = "")]
    pub(crate) provider_name: String,
    /// CDMA system id
    #[arg(long, value_name = "N", default_value = "")]
    pub(crate) sid: String,
    /// Cell class
    #[arg(long, value_enum, default_value_t)]
    pub(crate) cell_class: CellClass,
}

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Apn {
    #[command(subcommand)]
    pub(crate) command: Option<ApnCommand>,
    #[command(flatten)]
    pub(crate) identity: Hwid,
    /// Service provider name on the card
    #[arg(long, value_name = "S", default_value = "")]
    pub(crate) spn: String,
    /// Group identifier 1
    #[arg(long, value_name = "HEX", default_value = "")]
    pub(crate) gid1: String,
    /// Digits of the network code
    #[arg(long, value_name = "2|3", value_parser = clap::value_parser!(u8).range(2..=3))]
    pub(crate) mnc_length: Option<u8>,
    /// Equivalent home networks
    #[arg(long, value_name = "N[,N]", value_delimiter = ',')]
    pub(crate) ehplmn: Vec<String>,
    /// Network that the modem is registered in
    #[arg(long, value_name = "N")]
    pub(crate) registered_plmn: Option<String>,
    /// Kind of subscription: prepaid or postpaid
    #[arg(long, value_name = "HINT")]
    pub(crate) plan: Option<String>,
    /// Operator database; without it, the one of the package mobile-broadband-provider-info
    #[arg(long, value_name = "FILE")]
    pub(crate) database: Vec<PathBuf>,
    /// Overlay
    #[arg(long, value_name = "FILE")]
    pub(crate) overlay: Vec<PathBuf>,
    /// Folder of an operator's service metadata package, unpacked
    #[arg(long, value_name = "FOLDER")]
    pub(crate) metadata: Vec<PathBuf>,
}

#[derive(Subcommand, Debug)]
pub(crate) enum ApnCommand {
    /// Print the database of another program as an overlay: Android's apns-conf.xml, the APN database of Windows 8, an
    /// answer file for COSA, or a serviceproviders file
    Import {
        /// The file; `-` is standard input
        file: PathBuf,
    },
}

#[derive(Args, Debug)]
pub(crate) struct PortalUrl {
    /// The operator's page
    #[arg(long)]
    pub(crate) url: String,
    /// IMSI
    #[arg(long, value_name = "N")]
    pub(crate) imsi: Option<String>,
    /// IMEI
    #[arg(long, value_name = "N")]
    pub(crate) imei: Option<String>,
    /// Number of the card
    #[arg(long, value_name = "N")]
    pub(crate) iccid: Option<String>,
    /// CDMA mobile identification number
    #[arg(long, value_name = "N")]
    pub(crate) min: Option<String>,
    /// CDMA electronic serial number
    #[arg(long, value_name = "N")]
    pub(crate) esn: Option<String>,
    /// CDMA device id
    #[arg(long, value_name = "N")]
    pub(crate) meid: Option<String>,
    /// A QR code of it too, for a telephone's camera
    #[arg(long)]
    pub(crate) qr: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Replay {
    /// Capture of a session, as decode reads it; - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Where hosts connect, as mbimd --device names it
    #[arg(long, value_name = "unix:/PATH")]
    pub(crate) listen: String,
    /// End when the first host hangs up
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Decode {
    /// Hexadecimal places, or a file with them, with the messages as they are, or a capture (pcap or pcapng with exported
    /// PDUs of mbim.control, or of usbmon); - is standard input
    #[arg(value_name = "HEX or FILE", required = true)]
    pub(crate) input: Vec<String>,
    /// MBIM extensions in force; without it, 1 until the messages themselves agree on another
    #[arg(long, value_name = "1|2|3|4", value_parser = clap::value_parser!(u8).range(1..=4))]
    pub(crate) mbimex: Option<u8>,
    /// Print personal fields as they are
    #[arg(long)]
    pub(crate) reveal: bool,
    /// Replace who and where by others, the same ones throughout
    #[arg(long, conflicts_with = "reveal")]
    pub(crate) anonymise: bool,
    /// With --anonymise: write a capture (pcapng) in place of text; - is standard output
    #[arg(long, value_name = "FILE", requires = "anonymise")]
    pub(crate) write: Option<PathBuf>,
}
