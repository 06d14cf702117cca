import CLibcurl
import Glibc

/// An address that is about to be dialled.
package struct SocketAddress: Hashable, Sendable {
    /// The kinds of address that libcurl dials.
    package enum Family: Hashable, Sendable {
        case ipv4
        case ipv6
        /// Neither: a Unix socket, for example. `bytes` is empty.
        case other
    }

    /// Says how `bytes` is to be read.
    package let family: Family
    /// 4 or 16 bytes in network order.
    package let bytes: [UInt8]
    package let port: UInt16

    /// Makes an address from bytes in network order.
    package init(family: Family, bytes: [UInt8], port: UInt16) {
        self.family = family
        self.bytes = bytes
        self.port = port
    }

    /// The bytes of an address in its strict written form (`inet_pton(3)`): neither `127.1` nor `0x7f.1` is one.
    ///
    /// - Parameter text: An IPv4 address in four decimal parts, or an IPv6 address without brackets and zone.
    /// - Returns: 4 or 16 bytes in network order; nil for anything else.
    package static func bytes(of text: String) -> [UInt8]? {
        guard text.utf8.allSatisfy({ $0 != 0 }) else { return nil }
        for (family, length) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: length)
            if unsafe inet_pton(family, text, &bytes) == 1 { return bytes }
        }
        return nil
    }

    /// Reads the address that libcurl hands to the open-socket callback.
    ///
    /// `addr` is declared as the short `sockaddr`, but libcurl keeps `addrlen` bytes there.
    @unsafe
    init(_ address: UnsafeMutablePointer<curl_sockaddr>) {
        let length = Int(unsafe address.pointee.addrlen)
        let raw = unsafe withUnsafePointer(to: &address.pointee.addr) { start in
            unsafe Array(UnsafeRawBufferPointer(start: start, count: length))
        }
        switch unsafe address.pointee.family {
        case AF_INET where length >= 8:
            // sockaddr_in: family, port, four bytes of address.
            self.init(family: .ipv4, bytes: Array(raw[4..<8]), port: UInt16(raw[2]) << 8 | UInt16(raw[3]))
        case AF_INET6 where length >= 24:
            // sockaddr_in6: family, port, flow label, sixteen bytes of address.
            self.init(family: .ipv6, bytes: Array(raw[8..<24]), port: UInt16(raw[2]) << 8 | UInt16(raw[3]))
        default:
            self.init(family: .other, bytes: [], port: 0)
        }
    }
}
