/// Where an app's logo is: a URL that can stand in a policy as the one image that a page may load.
///
/// `https`, a name of two labels or more, a path without anything that a policy or an attribute reads in another way.
/// No query: a policy does not look at it, so it would let through more than it says.
package struct LogoURL: Sendable, Hashable {
    /// The longest URL in bytes.
    package static let bytesMax = 500

    /// The URL as it is written into the page and its policy.
    package let text: String

    /// Checks a URL; nil where it may not be used.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.bytesMax, text.hasPrefix("https://"), text.utf8.allSatisfy(Self.isPlain) else {
            return nil
        }
        let parts = text.dropFirst(8).split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let labels = (parts.first ?? "").split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, labels.count >= 2, labels.allSatisfy({ !$0.isEmpty && !$0.hasPrefix("-") }),
            labels.last?.first?.isLetter == true, !parts[1].isEmpty
        else { return nil }
        self.text = text
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._~/:".utf8.contains(byte)
        }
    }
}
