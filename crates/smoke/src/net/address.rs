//! Which addresses may be asked at all.
//!
//! A smoke suite names a host and the resolver says where that is. A resolver that answers with
//! a cloud's metadata service turns the runner into a way to read credentials, so the check is
//! made on addresses, after resolution, and not on names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Metadata services outside the link-local ranges: Alibaba Cloud, Azure's platform address,
/// and the IPv6 addresses of the AWS and Google services.
const METADATA_V4: [Ipv4Addr; 2] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
];
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254),
    Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254),
];

/// Whether an address is link-local (RFC 3927 `169.254.0.0/16`, RFC 4291 `fe80::/10`) or a known
/// metadata service, also when the IPv4 address is wrapped in an IPv6 one (mapped, compatible,
/// NAT64 `64:ff9b::/96`, 6to4 `2002::/16`).
///
/// Loopback and private addresses are not: deployments are tested there.
///
/// ```
/// use nonevent_smoke::is_link_local_or_metadata;
///
/// assert!(is_link_local_or_metadata("169.254.169.254".parse()?));
/// assert!(is_link_local_or_metadata("::ffff:169.254.169.254".parse()?));
/// assert!(!is_link_local_or_metadata("127.0.0.1".parse()?));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[must_use]
pub fn is_link_local_or_metadata(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => refused_v4(v4),
        IpAddr::V6(v6) => {
            v6.segments()[0] & 0xffc0 == 0xfe80
                || METADATA_V6.contains(&v6)
                || embedded_v4(v6).is_some_and(refused_v4)
        }
    }
}

fn refused_v4(address: Ipv4Addr) -> bool {
    address.is_link_local() || METADATA_V4.contains(&address)
}

fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let pair = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(pair(high, low))
        }
        [0x2002, high, low, ..] => Some(pair(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::is_link_local_or_metadata;

    #[test]
    fn link_local_and_metadata_are_told_apart_from_loopback_and_private() {
        let cases = [
            ("169.254.169.254", true),
            ("169.254.0.1", true),
            ("169.253.255.255", false),
            ("169.255.0.0", false),
            ("100.100.100.200", true),
            ("100.100.100.201", false),
            ("168.63.129.16", true),
            ("fe80::1", true),
            ("febf::1", true),
            ("fec0::1", false),
            ("fd00:ec2::254", true),
            ("fd20:ce::254", true),
            ("fd00:ec2::253", false),
            ("::ffff:169.254.169.254", true),
            ("::169.254.169.254", true),
            ("64:ff9b::a9fe:a9fe", true),
            ("2002:a9fe:a9fe::1", true),
            ("::ffff:10.0.0.1", false),
            ("127.0.0.1", false),
            ("::1", false),
            ("10.1.2.3", false),
            ("192.168.1.1", false),
            ("fd12::1", false),
            ("203.0.113.7", false),
        ];
        for (text, refused) in cases {
            let address = text.parse().expect("the case is an address");
            assert_eq!(is_link_local_or_metadata(address), refused, "{text}");
        }
    }
}
