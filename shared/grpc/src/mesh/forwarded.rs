//! `x-forwarded-client-cert`: whom the sidecar saw at the other end of its connection.
//!
//! Envoy appends an element for its peer to whatever the peer sent: the last one is its
//! own, all others are hearsay
//! (https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#x-forwarded-client-cert).

use http::HeaderMap;

use super::spiffe::{Domain, Stranger};
use crate::Peer;

const HEADER: &str = "x-forwarded-client-cert";
const MALFORMED: Stranger = "its x-forwarded-client-cert is malformed";

/// The workload that the sidecar names. Only for requests that come from the sidecar.
pub(crate) fn peer(headers: &HeaderMap, domain: &Domain) -> Result<Peer, Stranger> {
    let header = headers.get_all(HEADER).iter().next_back();
    let header = header.ok_or("it has no x-forwarded-client-cert")?;
    let elements = elements(header.to_str().map_err(|_| MALFORMED)?)?;
    let pairs = elements.last().ok_or(MALFORMED)?;
    let mut ids = pairs.iter().filter(|(key, _)| key.eq_ignore_ascii_case("URI"));
    match (ids.next(), ids.next()) {
        (None, _) => Err("its x-forwarded-client-cert names no workload"),
        (Some((_, id)), None) => domain.peer(id),
        _ => Err("its x-forwarded-client-cert names several ids"),
    }
}

type Pair<'a> = (&'a str, &'a str);

/// Elements apart by `,`, pairs in them by `;`. A value in quotes may hold both, and
/// quotes after a backslash. All of it must be well formed: else a peer could open a
/// quote that swallows the sidecar's element.
fn elements(header: &str) -> Result<Vec<Vec<Pair<'_>>>, Stranger> {
    let mut elements = vec![Vec::new()];
    let mut rest = header;
    loop {
        let (key, after) = rest.split_once('=').ok_or(MALFORMED)?;
        let key = key.trim();
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(MALFORMED);
        }
        let (value, after) = value(after)?;
        elements.last_mut().ok_or(MALFORMED)?.push((key, value));
        let mut next = after.chars();
        match next.next() {
            None => return Ok(elements),
            Some(';') => {}
            Some(',') => elements.push(Vec::new()),
            Some(_) => return Err(MALFORMED),
        }
        rest = next.as_str();
    }
}

/// A value and what follows it. What stands in quotes is not unescaped: no id needs it.
fn value(text: &str) -> Result<Pair<'_>, Stranger> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ';']).unwrap_or(text.len());
        let (value, after) = text.split_at(end);
        return if value.contains('"') { Err(MALFORMED) } else { Ok((value, after)) };
    };
    let mut escaped = false;
    for (at, character) in quoted.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Ok((&quoted[..at], &quoted[at + 1..])),
            _ => {}
        }
    }
    Err(MALFORMED)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const ORDERS: &str = "spiffe://stoa.local/ns/stoa/sa/orders";
    const CART: &str = "spiffe://stoa.local/ns/stoa/sa/cart";

    fn read(headers: &[&str]) -> Result<String, Stranger> {
        let mut map = HeaderMap::new();
        for header in headers {
            map.append(HEADER, HeaderValue::from_str(header).unwrap());
        }
        peer(&map, &Domain::new("stoa.local", "stoa")).map(|peer| peer.workload)
    }

    /// As Istio's sidecar writes it.
    fn element(id: &str) -> String {
        format!("By=spiffe://stoa.local/ns/stoa/sa/cart;Hash=0a1b;Subject=\"\";URI={id}")
    }

    #[test]
    fn the_last_element_names_the_peer() {
        assert_eq!(read(&[&element(ORDERS)]).unwrap(), "orders");
        let both = format!("{},{}", element(CART), element(ORDERS));
        assert_eq!(read(&[&both]).unwrap(), "orders");
        assert_eq!(read(&[&element(CART), &element(ORDERS)]).unwrap(), "orders");
        let quoted = format!("Hash=0a;Subject=\"CN=a,b;URI=c\\\"d\";uri={ORDERS};DNS=orders");
        assert_eq!(read(&[&quoted]).unwrap(), "orders");
    }

    #[test]
    fn a_header_that_names_no_workload_of_ours_names_nobody() {
        let strange = element("spiffe://example/ns/stoa/sa/orders");
        let forged = format!("{},{strange}", element(ORDERS));
        for headers in [
            &[][..],
            &["By=x;Hash=y;Subject=\"\""],
            &["URI="],
            &[strange.as_str()],
            &[forged.as_str()],
            &[&format!("URI={ORDERS};URI={CART}")],
        ] {
            assert!(read(headers).is_err(), "{headers:?}");
        }
    }

    #[test]
    fn a_malformed_header_names_nobody() {
        for header in [
            "",
            ",",
            ORDERS,
            &format!("URI={ORDERS},"),
            &format!("URI={ORDERS};"),
            &format!(",URI={ORDERS}"),
            &format!("URI=\"{ORDERS}"),
            &format!("URI=\"{ORDERS}\"x"),
            &format!("Subject=a\"b;URI={ORDERS}"),
            &format!("=x;URI={ORDERS}"),
        ] {
            assert!(read(&[header]).is_err(), "{header}");
        }
    }

    /// A peer sends the beginning, the sidecar appends its element.
    #[test]
    fn no_beginning_hides_what_the_sidecar_appends() {
        let appended = element("spiffe://stoa.local/ns/stoa/sa/cart");
        for beginning in [
            format!("URI={ORDERS}"),
            format!("URI={ORDERS};Subject=\""),
            format!("URI={ORDERS};Subject=\"\\"),
            format!("URI={ORDERS};Subject=\\"),
            format!("URI={ORDERS};Subject=\"\"\""),
            format!("URI={ORDERS};Subject=x\""),
            format!("URI={ORDERS};Subject"),
            format!("URI={ORDERS};"),
        ] {
            let told = read(&[&format!("{beginning},{appended}")]);
            assert_ne!(told.as_deref(), Ok("orders"), "{beginning}");
        }
    }
}
