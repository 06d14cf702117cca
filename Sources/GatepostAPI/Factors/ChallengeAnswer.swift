import GatepostFlows
import GatepostModel
import GatepostStore
import Hummingbird

/// What a client gets whose user has proved a first factor and is asked for a second one.
struct ChallengeAnswer: ResponseEncodable {
    let challenge: FactorChallengeID
    let challengeToken: String
    let expiresAt: Instant
    /// Whether the user has no second factor yet, and sets one up first.
    let enrolmentRequired: Bool

    enum CodingKeys: String, CodingKey {
        case challenge
        case challengeToken = "challenge_token"
        case expiresAt = "expires_at"
        case enrolmentRequired = "enrolment_required"
    }

    init(_ challenge: SignInEnding.Challenge) {
        (self.challenge, expiresAt) = (challenge.id, challenge.expiresAt)
        challengeToken = challenge.token.secret.revealed
        enrolmentRequired = !challenge.hasFactor
    }
}

/// An answer to a sign-in: a code, or what goes on with the second factor.
enum SignInAnswer<Code: ResponseGenerator & Sendable>: ResponseGenerator {
    case code(EditedResponse<Code>)
    case challenge(ChallengeAnswer)

    func response(from request: Request, context: some RequestContext) throws -> Response {
        switch self {
        case .code(let answer): try answer.response(from: request, context: context)
        case .challenge(let answer):
            try EditedResponse(status: .accepted, response: answer).response(from: request, context: context)
        }
    }
}

/// The token of a challenge, as a body carries it.
struct ChallengeToken: Decodable {
    let token: OneTimeToken

    init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let token = OneTimeToken(.factorChallenge, presented: text) else { throw Problem(.invalidFlow) }
        self.token = token
    }
}

/// The cookie of a browser whose sign-in waits for its second factor: which one it is, and its token.
enum FactorCookie {
    /// The cookie that a browser gets once the first factor is proved.
    static func holding(_ challenge: SignInEnding.Challenge, of scope: AppScope) -> Cookie {
        cookie(
            scope, value: "\(challenge.id).\(challenge.token.secret.revealed)",
            maxAge: Int(Lifetimes.factorChallenge.wholeSeconds))
    }

    /// The cookie that removes it, once the sign-in is over.
    static func removing(of scope: AppScope) -> Cookie {
        cookie(scope, value: "", maxAge: 0)
    }

    /// What this browser holds; nil if it has none.
    static func held(in request: Request, of scope: AppScope) -> FactorChallengeFlow.Held? {
        guard let parts = request.cookies[name(scope)]?.value.split(separator: "."), parts.count == 2,
            let id = FactorChallengeID(String(parts[0])),
            let token = OneTimeToken(.factorChallenge, presented: String(parts[1]))
        else { return nil }
        return FactorChallengeFlow.Held(id: id, token: token)
    }

    private static func name(_ scope: AppScope) -> String { "__Host-gatepost-factor-\(scope.appID)" }

    private static func cookie(_ scope: AppScope, value: String, maxAge: Int) -> Cookie {
        Cookie(
            name: name(scope), value: value, maxAge: maxAge, path: "/", secure: true, httpOnly: true, sameSite: .lax)
    }
}
