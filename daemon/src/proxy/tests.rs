use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream as StdStream;

use super::*;

fn rules(offered: Offered) -> Rules {
    Rules { offered, group: String::new(), readers: String::new() }
}

fn connect(name: &[u8]) -> std::io::Result<StdStream> {
    StdStream::connect_addr(&std_unix::SocketAddr::from_abstract_name(name)?)
}

fn alone(name: &'static [u8], offered: Offered, neighbour: watch::Receiver<Presence>) -> Proxy {
    let (_, modems) = watch::channel(Vec::new());
    Proxy::named(name, rules(offered), modems, None, neighbour, Register::default())
}

/// Waits until the name is to be had, or no more.
async fn until(name: &[u8], there: bool) {
    while connect(name).is_ok() != there {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn the_name_is_there_at_once_and_goes_with_modemmanagers_coming() {
    const NAME: &[u8] = b"mbimd-test-proxy-neighbour";
    let (told, neighbour) = watch::channel(Presence::Absent);
    let proxy = alone(NAME, Offered::Auto, neighbour);
    assert!(connect(NAME).is_ok());
    told.send_replace(Presence::Here);
    until(NAME, false).await;
    told.send_replace(Presence::Absent);
    until(NAME, true).await;
    proxy.stop().await;
    assert!(connect(NAME).is_err());
}

#[tokio::test]
async fn a_name_that_another_has_is_taken_when_it_is_free() {
    const NAME: &[u8] = b"mbimd-test-proxy-taken";
    let other = std_unix::UnixListener::bind_addr(&std_unix::SocketAddr::from_abstract_name(NAME).unwrap()).unwrap();
    assert!(owner(NAME).contains(&format!("pid {}", std::process::id())));
    let (list, modems) = watch::channel(Vec::new());
    let (_told, neighbour) = watch::channel(Presence::Here);
    let proxy = Proxy::named(NAME, rules(Offered::Always), modems, None, neighbour, Register::default());
    drop(other);
    list.send_replace(Vec::new());
    until(NAME, true).await;
    proxy.stop().await;
}

#[tokio::test]
async fn nothing_is_offered_where_it_is_off() {
    const NAME: &[u8] = b"mbimd-test-proxy-off";
    let (_told, neighbour) = watch::channel(Presence::Absent);
    let proxy = alone(NAME, Offered::Never, neighbour);
    assert!(connect(NAME).is_err());
    proxy.stop().await;
}

#[tokio::test]
async fn clients_are_hung_up_on_at_the_end() {
    const NAME: &[u8] = b"mbimd-test-proxy-end";
    let (_told, neighbour) = watch::channel(Presence::Absent);
    let proxy = alone(NAME, Offered::Always, neighbour);
    let mut client = connect(NAME).unwrap();
    // OPEN without a modem: an answer shows that it is served.
    client.write_all(&[1, 0, 0, 0, 16, 0, 0, 0, 7, 0, 0, 0, 0, 16, 0, 0]).unwrap();
    let answer = tokio::task::spawn_blocking(move || {
        let mut answer = [0; 16];
        client.read_exact(&mut answer).map(|()| (client, answer))
    });
    let (mut client, answer) = answer.await.unwrap().unwrap();
    assert_eq!(answer, [1, 0, 0, 128, 16, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0], "no modem, no session");
    proxy.stop().await;
    let end = tokio::task::spawn_blocking(move || client.read(&mut [0; 16]).unwrap_or(0)).await.unwrap();
    assert_eq!(end, 0);
}

#[tokio::test]
async fn an_earlier_runs_paths_go_and_so_do_ours() {
    let run_dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(run_dir.path().join("mbim")).unwrap();
    std::fs::write(run_dir.path().join("mbim/7"), "").unwrap();
    let aliases = Aliases::start(run_dir.path()).unwrap();
    assert!(aliases.folder().is_dir() && !aliases.folder().join("7").exists());
    drop(aliases);
    assert!(!run_dir.path().join("mbim").exists());
}
