//! A ClientHello (RFC 5246, section 7.4.1.2) with versions and ciphers that no client
//! library of today would offer.

/// Alerts and handshakes, by the first byte of a record.
pub const ALERT: u8 = 21;
pub const HANDSHAKE: u8 = 22;

/// One record with a ClientHello for that version and those cipher suites.
pub fn client_hello(version: [u8; 2], suites: &[u16]) -> Vec<u8> {
    let mut body = version.to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend(with_length(&suites.iter().flat_map(|s| s.to_be_bytes()).collect::<Vec<_>>()));
    body.extend([1, 0]);
    body.extend(with_length(&extensions()));
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    let message: Vec<u8> = [1].into_iter().chain(length[1..].to_vec()).chain(body).collect();
    [HANDSHAKE, 3, 1].into_iter().chain(with_length(&message)).collect()
}

/// Groups, point formats and signature algorithms, so that nothing else is missing.
fn extensions() -> Vec<u8> {
    let groups = [0, 4, 0, 29, 0, 23];
    let formats = [1, 0];
    let algorithms = [0, 10, 4, 3, 8, 4, 4, 1, 2, 3, 2, 1];
    let mut all = Vec::new();
    for (kind, data) in [(10_u16, &groups[..]), (11, &formats), (13, &algorithms)] {
        all.extend(kind.to_be_bytes());
        all.extend(with_length(data));
    }
    all
}

/// Behind two bytes that say how many follow.
fn with_length(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
    length.into_iter().chain(bytes.iter().copied()).collect()
}
