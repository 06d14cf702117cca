import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// `POST /apps/{app}/oauth/par`: where a client sends its request itself, before it sends the browser (RFC 9126).
struct PushedRequestRoutes: Sendable {
    let clients: ClientAuthentication
    let flow: PushedRequestFlow

    var endpoints: RouteCollection<AppRequestContext> {
        RouteCollection(context: AppRequestContext.self)
            .post("oauth/par", use: push)
    }

    @Sendable func push(_ request: Request, context: AppRequestContext) async throws -> Response {
        guard request.uri.query == nil else {
            throw OAuthError(.invalidRequest, "Send the parameters in the body.", cause: .invalidRequest)
        }
        let bytes = try await request.collectBody(ofType: "application/x-www-form-urlencoded")
        let client = try await client(of: request, try FormBody(bytes), context)
        // The id is part of what is asked, also where only the header has named it.
        let pairs = try FormBody.pairs(of: bytes).filter { $0.name != "client_id" }
        let outcome = try await flow.push(
            AuthorizationParameters(pairs + [(name: "client_id", value: "\(client.id)")]), by: client,
            in: context.scope, from: context.origin(of: request))
        switch outcome {
        case .pushed(let requestURI, let expiresIn):
            return Response(
                status: .created, headers: [.contentType: "application/json", .cacheControl: "no-store"],
                body: .init(
                    byteBuffer: ByteBuffer(string: #"{"request_uri":"\#(requestURI)","expires_in":\#(expiresIn)}"#)))
        case .refused(let code, let description):
            throw OAuthError(refused: code, description)
        case .limited(let refusal):
            throw OAuthError(limited: Problem(refusal))
        }
    }

    /// The client that pushes; one that has tried too often with a wrong proof is told in the same form.
    private func client(
        of request: Request, _ form: FormBody, _ context: AppRequestContext
    ) async throws -> ClientRecord {
        do {
            return try await clients.client(of: request, form, context: context)
        } catch let problem as Problem where problem.code == .rateLimited {
            throw OAuthError(limited: problem)
        }
    }
}
