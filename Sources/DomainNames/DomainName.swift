internal import CLibidn2

/// Domain names as mail and HTTP put them on the wire.
package enum DomainName {
    /// The name in ASCII (IDNA 2008, non-transitional); nil where it does not convert.
    package static func ascii(_ domain: String) -> String? {
        var output: UnsafeMutablePointer<CChar>?
        let flags = CInt(bitPattern: UInt32(IDN2_NFC_INPUT.rawValue | IDN2_NONTRANSITIONAL.rawValue))
        let code = unsafe domain.withCString { unsafe idn2_to_ascii_8z($0, &output, flags) }
        guard code == 0, let output = unsafe output else { return nil }
        defer { unsafe idn2_free(output) }
        return unsafe String(cString: output).lowercased()
    }
}
