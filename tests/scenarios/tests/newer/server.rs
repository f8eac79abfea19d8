//! The operator's server: nginx, and behind it for some places one that sends too little or without end.

use std::fs;
use std::process::ExitCode;

use harness::cases::block_on;
use harness::virtual_operator::address::{PORTAL, WWW};
use harness::virtual_operator::{Error, While};
use harness::wait;
use scenarios::client::PATIENCE;
use scenarios::stage::Outcome;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use scenarios::meeting::Meeting;

/// First word of the process behind nginx; then the folder.
const PART: &str = "newer-behind";
/// Port of nginx, of nginx with a stranger's certificate, and of the process behind.
const PORT: u16 = 9443;
const FOREIGN: u16 = 9444;
const BEHIND: u16 = 9080;

/// Places that bring no document, and what the daemon says of them.
pub(crate) const HARM: &[(&str, &str)] = &[
    ("/wrong/good.xml", "status 401: the server does not take"),
    ("foreign", "the certificate is not signed by its issuer"),
    ("another", "the certificate is for another name"),
    ("/insecure", "not HTTPS"),
    ("/ring", "more than 5 redirects"),
    ("/500", "status 500"),
    ("/nowhere.xml", "status 404"),
    ("/large.xml", "larger than 4 MiB"),
    ("/behind/short", "cut off"),
    ("/behind/endless", "larger than 4 MiB"),
    ("/plain.xml", "8217000e"),
    ("/rubbish.xml", "82170001"),
];

/// Places that bring it.
pub(crate) const GOOD: &[&str] = &["/good.xml", "/closed/good.xml", "/moved"];

/// The address of a place.
pub(crate) fn url(path: &str) -> String {
    match path {
        "foreign" => format!("https://{}:{FOREIGN}/good.xml", PORTAL.name),
        "another" => format!("https://{}:{PORT}/good.xml", PORTAL.ipv4),
        path => format!("https://{}:{PORT}{path}", PORTAL.name),
    }
}

pub(crate) fn child(arguments: &[String]) -> Option<ExitCode> {
    let [part, folder] = arguments else { return None };
    if part != PART {
        return None;
    }
    Some(match block_on(behind(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    })
}

/// Says that there is more than it sends, or sends without end.
async fn behind(folder: &str) -> Result<(), Error> {
    let doing = "serving behind nginx";
    let listener = TcpListener::bind(("127.0.0.1", BEHIND)).await.trying(doing)?;
    fs::write(format!("{folder}/behind.ready"), "").trying(doing)?;
    loop {
        let (stream, _) = listener.accept().await.trying(doing)?;
        // Whoever has enough hangs up.
        let _ = answer(stream).await;
    }
}

async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    if head.starts_with(b"GET /behind/short") {
        return stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 5000\r\n\r\n<CarrierProvisioning>").await;
    }
    stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n").await?;
    let piece = vec![b'x'; 64 * 1024];
    loop {
        stream.write_all(&piece).await?;
    }
}

pub(crate) async fn start(meeting: &mut Meeting, plain: &str) -> Outcome {
    let ground = &meeting.ground;
    let here = meeting.stage.world.directory().join("ground").display().to_string();
    let (name, other) = (PORTAL.name, WWW.name);
    ground.write("plain.xml", plain)?;
    ground.write("good.xml", &fs::read_to_string(format!("{here}/signed.xml"))?)?;
    ground.write("rubbish.xml", "<html>Welcome!")?;
    ground.write("large.xml", &"x".repeat(5 * 1024 * 1024))?;
    ground.write("shop.users", "shop:{PLAIN}open-sesame\n")?;
    ground.write("other.users", "shop:{PLAIN}another\n")?;
    let asks = |users: &str| format!("auth_basic shop; auth_basic_user_file {here}/{users}; alias {here}/;");
    let temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {here}/shop-{kind};"))
        .concat();
    let own = format!("ssl_certificate {here}/own.pem; ssl_certificate_key {here}/own.key;");
    let foreign = format!("ssl_certificate {here}/foreign.pem; ssl_certificate_key {here}/foreign.key;");
    let conf = format!(
        "user root; daemon off; worker_processes 1; pid {here}/shop.pid; error_log {here}/shop.log;\nevents {{}}\n\
         http {{ log_format l '$host $request $status user=$remote_user'; access_log {here}/shop-access.log l; {temp}\n\
         server {{ listen {ip}:{PORT} ssl; server_name {name}; {own}\n\
         location / {{ root {here}; }}\n\
         location /closed/ {{ {closed} }}\n location /wrong/ {{ {wrong} }}\n\
         location = /moved {{ return 307 https://{other}:{PORT}/good.xml; }}\n\
         location = /insecure {{ return 302 http://{name}/good.xml; }}\n location = /ring {{ return 302 /ring; }}\n\
         location = /500 {{ return 500; }}\n\
         location /behind/ {{ proxy_pass http://127.0.0.1:{BEHIND}; proxy_buffering off; }} }}\n\
         server {{ listen {www}:{PORT} ssl; server_name {other}; {own} location / {{ root {here}; }} }}\n\
         server {{ listen {ip}:{FOREIGN} ssl; {foreign} location / {{ root {here}; }} }} }}\n",
        ip = PORTAL.ipv4,
        www = WWW.ipv4,
        closed = asks("shop.users"),
        wrong = asks("other.users"),
    );
    let conf = ground.write("shop.conf", &conf)?;
    let program = std::env::current_exe()?.display().to_string();
    meeting.ground.spawn("behind", &[&program, PART, &here])?;
    meeting.ground.spawn("shop", &["nginx", "-c", &conf, "-e", &format!("{here}/shop.log")])?;
    wait::until("the process behind nginx", PATIENCE, || async { fs::metadata(format!("{here}/behind.ready")).ok() })
        .await?;
    let listening = format!(":{FOREIGN} ");
    wait::until("nginx", PATIENCE, || async {
        let listed = meeting.ground.run(&["ss", "-Hltn"]).await.ok()?;
        listed.lines().any(|line| line.contains(&listening)).then_some(())
    })
    .await?;
    Ok(())
}
