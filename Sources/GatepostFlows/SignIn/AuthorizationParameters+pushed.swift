import FoundationEssentials
import GatepostModel

/// Parameters that a client has pushed: how they are kept, and what stands for them.
extension AuthorizationParameters {
    /// What a name begins with that stands for pushed parameters (RFC 9126, section 2.2).
    static let pushedPrefix = "urn:ietf:params:oauth:request_uri:"

    /// The most that is kept of a request, in bytes: as much as an address may have.
    static let pushedBytesMax = 16 * 1024

    /// Those that the authorize endpoint reads, or refuses by name.
    ///
    /// Nothing else is kept: a client may send what it likes (RFC 6749, section 3.1), which is no reason to store it.
    /// Of what a client proves itself with, nothing is here.
    private static let known: Set<String> = [
        "response_type", "response_mode", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge",
        "code_challenge_method", "prompt", "max_age", "login_hint", "ui_locales", "id_token_hint", "acr_values",
    ]

    /// The token of a pushed request that these parameters name; nil where they name none of ours.
    var pushedToken: OneTimeToken? {
        guard let uri = self["request_uri"], uri.hasPrefix(Self.pushedPrefix) else { return nil }
        return OneTimeToken(.pushedRequest, presented: String(uri.dropFirst(Self.pushedPrefix.utf8.count)))
    }

    /// The parameters as a row keeps them.
    func text() throws -> String {
        let kept = pairs.filter { Self.known.contains($0.name) }
        return String(decoding: try JSONEncoder().encode(kept.map { [$0.name, $0.value] }), as: UTF8.self)
    }

    /// Reads what a row has kept.
    init(text: String) throws {
        let kept = try JSONDecoder().decode([[String]].self, from: Data(text.utf8))
        self.init(kept.compactMap { $0.count == 2 ? (name: $0[0], value: $0[1]) : nil })
    }
}
