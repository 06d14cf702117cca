public import Foundation

/// The issuer of one app's tokens, `https://auth.example.com/apps/app_…`; it names the app and where its keys are.
public struct GatepostIssuer: Sendable, Hashable, CustomStringConvertible {
    /// A text that is no issuer of Gatepost's, and why.
    public struct Malformed: Error, Sendable, CustomStringConvertible {
        public let description: String
    }

    /// As it stands in tokens, compared byte for byte.
    public let text: String
    /// The app's id: the audience of its tokens.
    public let app: String
    /// Where the app's key set is published.
    public let keySetURL: URL

    /// Takes an issuer as Gatepost's discovery document writes it.
    ///
    /// - Parameter text: `https://`, or `http://` on this machine itself; whoever stands between could hand in keys
    ///   of their own otherwise.
    /// - Throws: `Malformed`.
    public init(_ text: String) throws(Malformed) {
        guard let components = URLComponents(string: text), let host = components.host, !host.isEmpty,
            components.user == nil, components.password == nil, components.query == nil, components.fragment == nil
        else { throw Malformed(description: "\(text) is no URL of an issuer") }
        guard components.scheme == "https" || (components.scheme == "http" && Self.isLoopback(host)) else {
            throw Malformed(description: "\(text): keys are fetched over https, or from this machine")
        }
        let path = text.split(separator: "/", omittingEmptySubsequences: false)
        guard path.count >= 2, path[path.count - 2] == "apps", let app = path.last, Self.isApp(app),
            let url = URL(string: text + "/jwks.json")
        else { throw Malformed(description: "\(text) does not end in /apps/ and the id of an app") }
        (self.text, self.app, keySetURL) = (text, String(app), url)
    }

    public var description: String { text }

    /// `app_` and 26 small letters and digits, as every id of Gatepost's is written.
    private static func isApp(_ text: Substring) -> Bool {
        text.hasPrefix("app_") && text.utf8.count == 30
            && text.utf8.dropFirst(4).allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) }
    }

    private static func isLoopback(_ host: String) -> Bool {
        ["localhost", "127.0.0.1", "::1", "[::1]"].contains(host) || host.hasSuffix(".localhost")
    }
}
