//! The operator's site: plans, purchase, and the documents for the subscriber's machine. A pure function of the
//! network and the request, but for the session token, which comes in.

use crate::document;
use crate::http::{Request, Response};
use crate::network::{Event, Network, OFFERS, PurchaseError};

const HTML: &str = "text/html; charset=utf-8";
const XML: &str = "application/xml; charset=utf-8";

/// Answers a request. `token` names the visit of the subscriber; it cannot be guessed.
///
/// `/start?SubId&DevId&IccId` the plans · `POST /buy` (session, plan) · `/documents/activation` and
/// `/documents/profile` (session): the documents for the operator's program; the second one after the network has
/// seen the activation, 409 before.
pub fn answer(network: &mut Network, request: &Request, token: &str) -> Response {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/start") => start(network, request, token),
        ("POST", "/buy") => buy(network, request, token),
        ("GET", "/documents/activation") => with_plan(network, request, token, |network| {
            network.note(Event::Document { name: "activation".into() });
            Response::text(200, XML, document::activation(network))
        }),
        ("GET", "/documents/profile") => with_plan(network, request, token, |network| {
            if network.scenario().activation_needed && !network.activated() {
                return Response::text(409, HTML, page("Not yet", "<p>The modem has not been activated.</p>"));
            }
            network.note(Event::Document { name: "profile".into() });
            Response::text(200, XML, document::profile(network))
        }),
        (_, "/start" | "/buy" | "/documents/activation" | "/documents/profile") => {
            Response::text(405, HTML, page("Not so", ""))
        }
        _ => Response::text(404, HTML, page("Not here", "")),
    }
}

fn start(network: &mut Network, request: &Request, token: &str) -> Response {
    if !is_subscriber(network, request) {
        network.note(Event::Refused);
        return Response::text(403, HTML, page("Who are you?", "<p>This SIM is not one of ours.</p>"));
    }
    network.note(Event::Visited);
    if network.plan().is_some() {
        return Response::text(200, HTML, page("Your plan", "<p>Your plan is running.</p>"));
    }
    let mut form =
        format!("<form method=\"post\" action=\"/buy\"><input type=\"hidden\" name=\"session\" value=\"{token}\">");
    for offer in OFFERS {
        form += &format!("<button name=\"plan\" value=\"{}\">{}</button>", offer.id, offer.title);
    }
    form += "</form>";
    Response::text(200, HTML, page("Choose your plan", &form))
}

/// Identities must be the subscriber's where they are given, and SubId must be given. `[PROV 13]`
fn is_subscriber(network: &Network, request: &Request) -> bool {
    let subscriber = network.subscriber();
    let fits = |name: &str, own: &str| request.parameter(name).is_none_or(|v| v == own);
    request.parameter("SubId").is_some()
        && fits("SubId", &subscriber.imsi)
        && fits("DevId", &subscriber.imei)
        && fits("IccId", &subscriber.iccid)
}

fn buy(network: &mut Network, request: &Request, token: &str) -> Response {
    if request.form.get("session").map(String::as_str) != Some(token) {
        return Response::text(403, HTML, page("Session expired", ""));
    }
    match network.purchase(request.form.get("plan").map_or("", String::as_str)) {
        Ok(offer) => Response::text(200, HTML, page("Thank you", &format!("<p>You bought: {}.</p>", offer.title))),
        Err(PurchaseError::UnknownOffer) => Response::text(400, HTML, page("There is no such plan", "")),
        Err(PurchaseError::AlreadyBought) => Response::text(409, HTML, page("You have a plan already", "")),
    }
}

fn with_plan(
    network: &mut Network,
    request: &Request,
    token: &str,
    then: impl FnOnce(&mut Network) -> Response,
) -> Response {
    if request.parameter("session") != Some(token) {
        return Response::text(403, HTML, page("Session expired", ""));
    }
    if network.plan().is_none() {
        return Response::text(409, HTML, page("Not yet", "<p>Buy a plan first.</p>"));
    }
    then(network)
}

fn page(title: &str, body: &str) -> String {
    format!("<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>\n")
}

/// The session token in a page of plans: what a browser would send back with the form.
#[must_use]
pub fn token_in(page: &str) -> Option<&str> {
    page.split_once("name=\"session\" value=\"")?.1.split_once('"').map(|(token, _)| token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::parameters;
    use crate::network::{ACTIVATION_BLOB, Subscriber};
    use crate::scenario::Scenario;

    const TOKEN: &str = "t0k3n";

    fn ask(network: &mut Network, method: &str, url: &str, form: &str) -> Response {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let request = Request {
            method: method.into(),
            host: "portal.mobile.example".into(),
            path: path.into(),
            query: parameters(query),
            form: parameters(form).into_iter().collect(),
        };
        answer(network, &request, TOKEN)
    }

    #[test]
    fn from_the_first_page_to_the_last_document() {
        let mut n = Network::new(Scenario::garden(), Subscriber::canary());
        let page =
            ask(&mut n, "GET", "/start?SubId=001017394628051&DevId=352099746183058&IccId=8999004827193650378", "");
        assert_eq!(page.status, 200);
        assert_eq!(token_in(&page.body_text()), Some(TOKEN));
        assert_eq!(ask(&mut n, "GET", "/documents/activation?session=t0k3n", "").status, 409);
        assert_eq!(ask(&mut n, "POST", "/buy", "session=wrong&plan=month-5gb").status, 403);
        assert_eq!(ask(&mut n, "POST", "/buy", "session=t0k3n&plan=none").status, 400);
        assert_eq!(ask(&mut n, "POST", "/buy", "session=t0k3n&plan=month-5gb").status, 200);
        assert_eq!(ask(&mut n, "POST", "/buy", "session=t0k3n&plan=month-5gb").status, 409);
        assert_eq!(ask(&mut n, "GET", "/documents/activation", "").status, 403);
        assert!(
            ask(&mut n, "GET", "/documents/activation?session=t0k3n", "").body_text().contains("ServiceActivation")
        );
        assert_eq!(ask(&mut n, "GET", "/documents/profile?session=t0k3n", "").status, 409);
        n.service_activation(ACTIVATION_BLOB).unwrap();
        assert!(ask(&mut n, "GET", "/documents/profile?session=t0k3n", "").body_text().contains("ReconnectToNetwork"));
    }

    #[test]
    fn strangers_are_sent_away() {
        let mut n = Network::new(Scenario::garden(), Subscriber::canary());
        for url in [
            "/start",
            "/start?SubId=",
            "/start?SubId=001019999999999",
            "/start?SubId=001017394628051&DevId=1",
            "/start?SubId=001017394628051&IccId=1",
        ] {
            let answer = ask(&mut n, "GET", url, "");
            assert_eq!(answer.status, 403, "{url}");
            assert!(!answer.body_text().contains("7394628"));
        }
        assert_eq!(ask(&mut n, "GET", "/", "").status, 404);
        assert_eq!(ask(&mut n, "GET", "/buy", "").status, 405);
    }
}
