/// Ways to write a host that leads to this machine or into a private network.
///
/// The create route must refuse each, and the transport must not dial it even if it had been written down.
package enum PrivateHosts {
    /// Every one of them, as it stands between the slashes of a URL and its port.
    package static let all = ipv4 + ipv6 + names + tricks

    /// IPv4 in decimal, octal and hexadecimal, short and mixed; private, special and metadata networks.
    package static let ipv4 = [
        "127.0.0.1", "127.1", "127.0.1", "127.0.0.1.", "127.127.127.127", "2130706433", "0x7f000001", "0x7f.1",
        "0x7F.0x0.0x0.0x1", "0177.0.0.1", "017700000001", "127.0x0.1", "00127.0.0.1", "0", "0.0.0.0", "0x0",
        "00000000000", "10.0.0.1", "10.1", "167772161", "172.16.0.1", "192.168.0.1", "192.168.1", "3232235521",
        "169.254.169.254", "0xA9FEA9FE", "2852039166", "0xa9.0xfe.0xa9.0xfe", "100.64.0.1", "255.255.255.255",
        "224.0.0.1", "240.0.0.1", "198.18.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1", "192.0.0.8",
    ]

    /// IPv6: loopback, IPv4 inside, translated and tunnelled, local, multicast, documentation, with a zone.
    package static let ipv6 = [
        "[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:7f00:0001]", "[::127.0.0.1]", "[::ffff:0:0]", "[::ffff:169.254.169.254]",
        "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::1]", "[2002:7f00:1::1]", "[2001:0:7f00:1::]",
        "[fe80::1]", "[fe80::1%25lo]", "[fe80::1%lo]", "[fc00::1]", "[fd00::1]", "[fec0::1]", "[ff02::1]",
        "[2001:db8::1]", "[::1", "::1", "[127.0.0.1]",
    ]

    /// Names of this machine.
    package static let names = [
        "localhost", "LOCALHOST", "localhost.", "hooks.localhost", "hooks.LOCALHOST", "hooks.localhost.",
    ]

    /// Unicode digits and dots, percent signs, user information, backslashes, white space.
    package static let tricks = [
        "１２７.0.0.1", "１２７．０．０．１", "①②⑦.0.0.1", "127。0。0。1", "127｡0｡0｡1", "ｌｏｃａｌｈｏｓｔ", "a@127.0.0.1",
        "a:b@127.0.0.1", "example.com@127.0.0.1", "example.com:443@127.0.0.1", "@127.0.0.1",
        "127.0.0.1%00.example.com", "%31%32%37.0.0.1", "127.0.0.1%2f.example.com", "127.0.0.1\\.example.com",
        "example.com\\@127.0.0.1", "\\127.0.0.1", "127.0.0.1\t", "\t127.0.0.1", "127.0.\t0.1", "127.0.0.1\n",
        " 127.0.0.1", "127.0.0.1 ", "127.0.0.1#.example.com", "127.0.0.1#@example.com", "127.0.0.1?.example.com", "",
    ]
}
