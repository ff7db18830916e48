//! Which names a certificate covers (RFC 9525, section 6.3).

use std::net::IpAddr;

/// Whether a name of a certificate stands for a host: the same name whatever its case, or a
/// wildcard, which stands for exactly one label, the leftmost. Addresses are equal or not.
pub(crate) fn covers(name: &str, host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    if let Ok(host) = host.parse::<IpAddr>() {
        return name.parse() == Ok(host);
    }
    if name.eq_ignore_ascii_case(host) {
        return true;
    }
    let Some(parent) = name.strip_prefix("*.") else {
        return false;
    };
    match host.split_once('.') {
        Some((label, rest)) => {
            !label.is_empty() && label != "*" && rest.eq_ignore_ascii_case(parent)
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_name_covers_itself_and_a_wildcard_one_label() {
        for (name, host, wanted) in [
            ("shop.example.com", "shop.example.com", true),
            ("shop.example.com", "SHOP.example.COM.", true),
            ("shop.example.com", "example.com", false),
            ("shop.example.com", "a.shop.example.com", false),
            ("*.example.com", "shop.example.com", true),
            ("*.Example.com", "shop.eXample.com", true),
            ("*.example.com", "xn--bcher-kva.example.com", true),
            ("*.example.com", "a.shop.example.com", false),
            ("*.example.com", "example.com", false),
            ("*.example.com", ".example.com", false),
            ("*.example.com", "*.example.com", true),
            // A wildcard is a whole label, and the first one.
            ("s*.example.com", "shop.example.com", false),
            ("shop.*.com", "shop.example.com", false),
            ("*", "example", false),
            ("*.0.0.1", "127.0.0.1", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("::1", "0:0:0:0:0:0:0:1", true),
            ("127.0.0.1", "127.0.0.2", false),
        ] {
            assert_eq!(covers(name, host), wanted, "{name} for {host}");
        }
    }
}
