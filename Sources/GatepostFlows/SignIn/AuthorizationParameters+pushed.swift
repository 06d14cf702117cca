import FoundationEssentials
import GatepostModel

/// Parameters that a client has pushed: how they are kept, and what stands for them.
extension AuthorizationParameters {
    /// What a name begins with that stands for pushed parameters (RFC 9126, section 2.2).
    static let pushedPrefix = "urn:ietf:params:oauth:request_uri:"

    /// The token of a pushed request that these parameters name; nil where they name none of ours.
    var pushedToken: OneTimeToken? {
        guard let uri = self["request_uri"], uri.hasPrefix(Self.pushedPrefix) else { return nil }
        return OneTimeToken(.pushedRequest, presented: String(uri.dropFirst(Self.pushedPrefix.utf8.count)))
    }

    /// The parameters as a row keeps them; never what the client proved itself with.
    func text() throws -> String {
        let kept = pairs.filter { !["client_secret", "client_assertion", "client_assertion_type"].contains($0.name) }
        return String(decoding: try JSONEncoder().encode(kept.map { [$0.name, $0.value] }), as: UTF8.self)
    }

    /// Reads what a row has kept.
    init(text: String) throws {
        let kept = try JSONDecoder().decode([[String]].self, from: Data(text.utf8))
        self.init(kept.compactMap { $0.count == 2 ? (name: $0[0], value: $0[1]) : nil })
    }
}
