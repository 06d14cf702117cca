import Crypto
import GatepostModel
import GatepostStore

extension SessionProof {
    /// What is told in one kind of token, beside what every one says: a client of somebody else's learns no more of a
    /// user than its scope asks for.
    func told(in place: ClaimPlace) -> (roles: RoleClaims?, members: String) {
        guard !isThirdParty || scope.contains(.profile) else { return (nil, "") }
        return (told.roles(in: place), told.own(in: place).members)
    }
}

/// The claims of an ID token (OpenID Connect Core, section 2), written as bytes.
///
/// Its one audience is the client, so there is no `azp`. What the scopes `email` and `profile` ask for is told by the
/// userinfo endpoint, since an access token comes along (section 5.4).
struct IDTokenText: Sendable {
    let issuer: String
    let session: SessionProof
    /// What the client calls the user.
    let subject: String
    let client: ClientID
    let accessToken: Secret
    let expiresAt: Instant
    let now: Instant

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(600)
        bytes += #"{"iss":"\#(issuer)","sub":"\#(subject)","aud":"\#(client)","sid":"\#(session.id)""#.utf8
        bytes += #","iat":\#(now.seconds),"exp":\#(expiresAt.seconds)"#.utf8
        bytes += #","auth_time":\#(session.authenticatedAt.seconds),"amr":["#.utf8
        Self.append(session.amr, to: &bytes)
        bytes += #"],"acr":"\#(AuthenticationClass(methods: session.amr).rawValue)""#.utf8
        bytes += #","at_hash":"\#(Self.half(of: accessToken))""#.utf8
        let told = session.told(in: .idToken)
        if let claims = told.roles {
            bytes += #","roles":["#.utf8
            Self.append(claims.roles, to: &bytes)
            bytes += #"],"permissions":["#.utf8
            Self.append(claims.permissions, to: &bytes)
            bytes.append(UInt8(ascii: "]"))
        }
        bytes += told.members.utf8
        if let nonce = session.nonce {
            bytes += #","nonce":"#.utf8
            JSONText.append(nonce, to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// The left half of the access token's hash, which binds the two together (section 3.1.3.6).
    private static func half(of token: Secret) -> String {
        Base64URL.encode(SHA256.hash(data: Array(token.revealed.utf8)).prefix(16))
    }

    /// Words that stand in JSON as they are, in quotes with commas between.
    private static func append(_ words: [String], to bytes: inout [UInt8]) {
        bytes += words.map { "\"\($0)\"" }.joined(separator: ",").utf8
    }
}
