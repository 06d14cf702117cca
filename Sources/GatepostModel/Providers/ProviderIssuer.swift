/// The issuer that a provider's tokens must name: compared byte for byte, never normalised.
///
/// A URL without query (OpenID Connect Discovery, section 3). A token of any other issuer is nobody's here, whatever it
/// says (CVE-2026-31813, Supabase).
package struct ProviderIssuer: Hashable, Sendable, CustomStringConvertible {
    /// The longest issuer in bytes.
    package static let bytesMax = 500

    /// The issuer as it was configured.
    package let text: String

    /// Checks an issuer that an admin names; nil where it can be none.
    ///
    /// - Parameters:
    ///   - text: The issuer, byte for byte as the provider writes it.
    ///   - kind: Microsoft's has to name one tenant: `common` stands for every company that there is.
    ///   - allowsPrivate: Whether the configuration names private destinations, as in dev.
    package init?(_ text: String, of kind: ProviderKind, allowsPrivate: Bool) {
        guard text.utf8.count <= Self.bytesMax, ProviderURL.isFit(text, allowsPrivate: allowsPrivate),
            !text.contains("?")
        else { return nil }
        let tenants = "https://login.microsoftonline.com/"
        if kind == .microsoft, text.hasPrefix(tenants) {
            let path = text.dropFirst(tenants.count).split(separator: "/", omittingEmptySubsequences: false)
            guard path.count == 2, path[1] == "v2.0", Self.isTenant(path[0]) else { return nil }
        }
        self.text = text
    }

    package var description: String { text }

    /// A UUID in lower case: a name of a tenant would not be what its tokens say.
    private static func isTenant(_ text: Substring) -> Bool {
        let groups = text.split(separator: "-", omittingEmptySubsequences: false)
        return groups.map(\.utf8.count) == [8, 4, 4, 4, 12]
            && groups.joined().utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}

/// What a provider's document may send a browser or a request of ours to.
package enum ProviderURL {
    /// Whether a URL is one that can be called or shown, written as it would be dialled.
    package static func isFit(_ text: String, allowsPrivate: Bool) -> Bool {
        WebhookURL(text, allowsPrivate: allowsPrivate)?.text == text
    }
}
