import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// What whoever began a flow gets: the same for every address.
struct FlowStartResponse: ResponseEncodable {
    let flow: FlowID
    let flowToken: String
    let expiresAt: Instant

    enum CodingKeys: String, CodingKey {
        case flow
        case flowToken = "flow_token"
        case expiresAt = "expires_at"
    }

    /// The answer to beginning a flow, which also leaves its token with the browser; throws the refusal.
    static func answer(_ start: FlowStart, of scope: AppScope) throws -> EditedResponse<FlowStartResponse> {
        switch start {
        case .started(let started):
            let answer = FlowStartResponse(
                flow: started.flow, flowToken: started.token.secret.revealed, expiresAt: started.expiresAt)
            var response = EditedResponse(status: .accepted, response: answer)
            response.setCookie(StarterCookie.holding(started.token, of: scope))
            return response
        case .refused(let refusal):
            throw Problem(refusal)
        }
    }
}

/// A typed code, with the flow that it is for and the token of whoever began it.
struct FlowCodeRequest: JSONBody {
    let flow: FlowID
    let flowToken: FlowToken
    let code: String

    enum CodingKeys: String, CodingKey, CaseIterable {
        case flow
        case flowToken = "flow_token"
        case code
    }
}
