import FoundationEssentials
import GatepostModel

/// Asks GitHub who an access token is about: it has no ID tokens, and its API says who somebody is.
///
/// The token came from GitHub's own token endpoint, in exchange for a code that is bound by PKCE to this very sign-in:
/// it is nobody else's, although nothing in it says so.
struct GitHubAPI: Sendable {
    let port: ProviderPort
    let issuer: String

    private struct User: Decodable {
        /// Never the login, which its owner may give up and somebody else take.
        let id: Int64
    }

    private struct Email: Decodable {
        let email: String
        let primary: Bool
        let verified: Bool
    }

    /// Where the API is: on a host of its own at GitHub, below a path in an installation of one's own.
    private var base: String { issuer == ProviderKind.github.issuer ? "https://api.github.com" : "\(issuer)/api/v3" }

    /// Who the token is about, with the primary address.
    func profile(_ accessToken: String?) async -> Result<ProviderProfile, ProviderFault> {
        // What it says of a code that it does not take comes with status 200, and without a token.
        guard let accessToken, (1...1000).contains(accessToken.utf8.count),
            accessToken.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return .failure(.declined) }
        let user: User
        switch await read(User.self, "/user", accessToken) {
        case .success(let read): user = read
        case .failure(let fault): return .failure(fault)
        }
        return await read([Email].self, "/user/emails", accessToken).map { emails in
            let primary = emails.first { $0.primary }
            return ProviderProfile(
                subject: String(user.id), email: primary.flatMap { EmailAddress($0.email) },
                emailIsVerified: primary?.verified ?? false)
        }
    }

    private func read<Value: Decodable>(
        _ type: Value.Type, _ path: String, _ accessToken: String
    ) async -> Result<Value, ProviderFault> {
        let headers = [(name: "Authorization", value: "Bearer \(accessToken)")]
        return await port.body(of: .get(base + path, headers: headers)).flatMap { bytes in
            (try? JSONDecoder().decode(Value.self, from: Data(bytes))).map(Result.success)
                ?? .failure(ProviderFault.malformed("profile"))
        }
    }
}
