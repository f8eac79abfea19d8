//! The strangers: `openssl` makes keys and certificates, `xmlsec1` signs and verifies.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

use daemon_verify::{
    DigestAlgorithm, EXTENDED_VALIDATION, Method, Narrow, Rejected, Request, Root, SignatureAlgorithm, Verified,
    Verifier,
};

/// A folder with everybody's keys and certificates, made once.
pub(crate) struct Authority {
    folder: tempfile::TempDir,
}

/// Keys of leaves, by file name: all under the intermediate authority.
const LEAVES: &[(&str, &[&str])] = &[
    ("rsa", &["rsa:2048"]),
    ("rsa3072", &["rsa:3072"]),
    ("rsa1024", &["rsa:1024"]),
    ("p256", &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]),
    ("p384", &["ec", "-pkeyopt", "ec_paramgen_curve:P-384"]),
];

pub(crate) fn authority() -> &'static Authority {
    static MADE: OnceLock<Authority> = OnceLock::new();
    MADE.get_or_init(|| {
        let made = Authority { folder: tempfile::tempdir().unwrap() };
        let ca = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"];
        made.certificate("root", &["rsa:2048"], None, &ca);
        made.certificate("inter", &["rsa:2048"], Some("root"), &[ca[0], ca[1], "certificatePolicies=2.5.29.32.0"]);
        for (name, key) in LEAVES {
            made.leaf(name, key, &[]);
        }
        made
    })
}

impl Authority {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn leaf(&self, name: &str, key: &[&str], more: &[&str]) {
        let mut extensions = vec!["basicConstraints=critical,CA:FALSE", "certificatePolicies=2.23.140.1.1"];
        if !more.iter().any(|extension| extension.starts_with("keyUsage")) {
            extensions.push("keyUsage=critical,digitalSignature");
        }
        extensions.extend_from_slice(more);
        self.certificate(name, key, Some("inter"), &extensions);
    }

    pub(crate) fn certificate(&self, name: &str, key: &[&str], issuer: Option<&str>, extensions: &[&str]) {
        let mut command = Command::new("openssl");
        command.args(["req", "-x509", "-nodes", "-days", "3650", "-newkey"]).args(key);
        command.arg("-subj").arg(format!("/C=XX/O=Interop, Inc./CN={name}"));
        command.arg("-keyout").arg(self.path(&format!("{name}.key")));
        command.arg("-out").arg(self.path(&format!("{name}.pem")));
        for extension in extensions {
            command.args(["-addext", extension]);
        }
        if let Some(issuer) = issuer {
            command.arg("-CA").arg(self.path(&format!("{issuer}.pem")));
            command.arg("-CAkey").arg(self.path(&format!("{issuer}.key")));
        }
        // Without the system's file, which adds extensions of its own.
        let config = self.path("req.cnf");
        std::fs::write(&config, "[req]\ndistinguished_name=dn\n[dn]\n").unwrap();
        command.arg("-config").arg(config);
        run(&mut command).unwrap_or_else(|error| panic!("openssl: {error}"));
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The certificates of a file, DER.
    pub(crate) fn der(&self, name: &str) -> Vec<Vec<u8>> {
        daemon_verify::certificates_in(&self.read(name))
    }

    pub(crate) fn root(&self) -> Root {
        Root { der: self.der("root.pem").remove(0), extended_validation: vec![EXTENDED_VALIDATION.to_owned()] }
    }

    /// `xmlsec1 --sign` with a leaf's key; its certificate and its issuer's go into an empty `X509Data`.
    pub(crate) fn xmlsec_signs(&self, template: &str, leaf: &str, more: &[&str]) -> String {
        let (input, output) = (unique(self, "in"), unique(self, "out"));
        std::fs::write(&input, template).unwrap();
        let mut key = self.path(&format!("{leaf}.key")).into_os_string();
        for certificate in [leaf, "inter"] {
            key.push(",");
            key.push(self.path(&format!("{certificate}.pem")));
        }
        let mut command = Command::new("xmlsec1");
        command.arg("--sign").arg("--privkey-pem").arg(key).args(more).arg("--output").arg(&output).arg(&input);
        run(&mut command).unwrap_or_else(|error| panic!("xmlsec1 --sign: {error}\n{template}"));
        let signed = std::fs::read_to_string(&output).unwrap();
        for file in [input, output] {
            std::fs::remove_file(file).unwrap();
        }
        signed
    }

    /// `xmlsec1 --verify` under our root.
    pub(crate) fn xmlsec_verifies(&self, document: &[u8], more: &[&str]) -> Result<(), String> {
        let input = unique(self, "verify");
        std::fs::write(&input, document).unwrap();
        let mut command = Command::new("xmlsec1");
        command.arg("--verify").arg("--trusted-pem").arg(self.path("root.pem")).args(more).arg(&input);
        let result = run(&mut command);
        std::fs::remove_file(input).unwrap();
        result
    }
}

/// What an authority knows of its certificates, as `openssl ca` keeps it.
pub(crate) struct Register {
    name: String,
}

impl Register {
    pub(crate) fn new(name: &str, issuer: &str) -> Self {
        let made = Self { name: name.to_owned() };
        let config = format!(
            "[ca]\ndefault_ca=d\n[d]\ndatabase={0}\ncrlnumber={1}\ndefault_md=sha256\ndefault_crl_days=30\n\
             certificate={2}/{issuer}.pem\nprivate_key={2}/{issuer}.key\n",
            made.index().display(),
            made.file("number").display(),
            authority().folder.path().display(),
        );
        write(&made.file("cnf"), &config);
        write(&made.index(), "");
        write(&made.file("number"), "01\n");
        made
    }

    fn file(&self, kind: &str) -> PathBuf {
        authority().path(&format!("{}.{kind}", self.name))
    }

    /// The file with a line for each certificate.
    pub(crate) fn index(&self) -> PathBuf {
        self.file("txt")
    }

    /// `-valid` or `-revoke`.
    pub(crate) fn enter(&self, how: &str, leaf: &str) {
        self.openssl(&[how.as_ref(), authority().path(&format!("{leaf}.pem")).as_os_str()]);
    }

    pub(crate) fn openssl(&self, last: &[&std::ffi::OsStr]) {
        run(Command::new("openssl").arg("ca").arg("-config").arg(self.file("cnf")).args(last)).unwrap();
    }
}

pub(crate) fn unique(authority: &Authority, kind: &str) -> PathBuf {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    authority.path(&format!("{kind}{}.xml", NEXT.fetch_add(1, Ordering::Relaxed)))
}

pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let out = command.output().map_err(|error| format!("{error}: is it installed?"))?;
    if out.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&out.stderr).into_owned()) }
}

/// A minute from now: certificates are made on the way.
pub(crate) fn clock() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() + 60
}

pub(crate) fn verify_with(document: &[u8], sha1: bool) -> Result<Verified, Rejected> {
    let roots = [authority().root()];
    Narrow.verify(&Request { document, clock: clock(), sha1, roots: &roots, revocation_lists: &[], fetched: &[] })
}

pub(crate) fn verify(document: &str) -> Result<Verified, Rejected> {
    verify_with(document.as_bytes(), false)
}

/// The parts of a signature to be filled in by `xmlsec1`.
#[derive(Clone, Copy)]
pub(crate) struct Template<'a> {
    pub(crate) method: Method,
    pub(crate) signature: &'a str,
    pub(crate) digest: &'a str,
    pub(crate) reference: &'a str,
    pub(crate) transforms: &'a str,
    pub(crate) key_info: &'a str,
    pub(crate) more: &'a str,
}

pub(crate) const ENVELOPED: &str =
    "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>";
pub(crate) const X509: &str = "<ds:X509Data><ds:X509Certificate/></ds:X509Data>";

impl Default for Template<'_> {
    fn default() -> Self {
        Self {
            method: Method::Exclusive,
            signature: SignatureAlgorithm::RsaSha256.uri(),
            digest: DigestAlgorithm::Sha256.uri(),
            reference: " URI=\"\"",
            transforms: ENVELOPED,
            key_info: X509,
            more: "",
        }
    }
}

impl Template<'_> {
    pub(crate) fn text(&self) -> String {
        format!(
            "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>\n\
             <ds:CanonicalizationMethod Algorithm=\"{}\"/>\
             <ds:SignatureMethod Algorithm=\"{}\"/>{}</ds:SignedInfo>\n\
             <ds:SignatureValue/><ds:KeyInfo>{}</ds:KeyInfo>{}</ds:Signature>",
            self.method.uri(),
            self.signature,
            self.reference(),
            self.key_info,
            self.more,
        )
    }

    pub(crate) fn reference(&self) -> String {
        format!(
            "<!-- in it --><ds:Reference{}><ds:Transforms>{}</ds:Transforms>\
             <ds:DigestMethod Algorithm=\"{}\"/><ds:DigestValue/></ds:Reference>",
            self.reference, self.transforms, self.digest,
        )
    }
}

/// A document with everything in it that canonical form has a rule for; `{}` is where the signature goes.
pub(crate) const TRAPS: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<!-- before --><?before  it is?><?empty?>\n",
    "<c:Doc xmlns:c='urn:c' xmlns='urn:d' xmlns:unused=\"urn:unused\" xml:lang='en' xml:space='preserve'>\r\n",
    "  <A z='1' b=\"it's &quot;&lt;&amp;&gt; &#9;&#10;&#13; \r\n\t.\" c:z='2' a='' xmlns:b='urn:a' b:y='3'\n xml:id='x'/>\n",
    "  <B xmlns=''><C xmlns='urn:d'/><D xmlns:c='urn:other' c:x=''><c:E/></D><?in side \r\n data ?></B>\n",
    "  <F><![CDATA[<raw> & ]]]]><![CDATA[> \"]]>&#13;&#x1F600;\u{e9}\u{1f600}<!-- cut\r\nhere -->&gt;&#38;</F>\n",
    "  <c:G xmlns:c='urn:c' xmlns:d='urn:d'><d:H xmlns:unused='urn:again'><I xmlns='urn:d'/></d:H></c:G>\n",
    "  <J\txmlns:e='urn:e'\r\n e:a='1'\n  ></J\n>{}\n</c:Doc>\n<!-- after --><?after?>\n",
);

pub(crate) fn in_traps(signature: &str) -> String {
    TRAPS.replacen("{}", signature, 1)
}

/// A document of the smallest content, valid under the schema.
pub(crate) fn document(signature: &str) -> String {
    format!(
        "<CarrierProvisioning xmlns=\"http://www.microsoft.com/networking/CarrierControl/v1\"><Global>\
         <CarrierId>{{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}}</CarrierId><SubscriberId>001010123456789</SubscriberId>\
         </Global>{signature}</CarrierProvisioning>"
    )
}

pub(crate) fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}
