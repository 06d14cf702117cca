import FoundationEssentials
import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// Which client sends a form to an endpoint of the issuer: by `Authorization: Basic`, by `client_secret` or a signed
/// proof in the form, or by its id alone (RFC 6749, section 2.3; RFC 7523, section 2.2).
struct ClientAuthentication: Sendable {
    /// The one kind of proof (RFC 7523, section 2.2).
    private static let assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

    let flow: ClientAuthenticationFlow

    /// The client that a form is from.
    ///
    /// Throws an `OAuthError` where it is not known, does not prove who it is or tries to in two ways; a `Problem`
    /// where it has tried too often.
    func client(
        of request: Request, _ form: FormBody, context: AppRequestContext
    ) async throws -> ClientRecord {
        let presented = try Self.presented(request, form)
        switch try await flow.authenticate(presented, in: context.scope, from: context.origin(of: request)) {
        case .client(let client):
            context.asking.isKnown(byOrigins: client.webOrigins)
            return client
        case .unproven: throw OAuthError.unprovenClient
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    private static func presented(
        _ request: Request, _ form: FormBody
    ) throws -> ClientAuthenticationFlow.Presented {
        let fields = request.headers[values: .authorization]
        let ways = [!fields.isEmpty, form["client_secret"] != nil, form["client_assertion"] != nil]
        guard fields.count < 2, ways.count(where: { $0 }) < 2 else {
            throw OAuthError(.invalidRequest, "A client proves itself in one way.", cause: .invalidRequest)
        }
        if let field = fields.first { return try basic(field, form) }
        if let proof = form["client_assertion"] {
            guard form["client_assertion_type"] == assertionType else {
                throw OAuthError(.invalidRequest, "Use client_assertion_type \(assertionType).", cause: .invalidRequest)
            }
            return .assertion(proof, of: try form["client_id"].map(id))
        }
        let client = try id(form.required("client_id"))
        guard let text = form["client_secret"] else { return .id(client) }
        return .secret(try secret(text), of: client)
    }

    /// Id and secret, each encoded like a form, around a colon (RFC 6749, section 2.3.1).
    private static func basic(_ field: String, _ form: FormBody) throws -> ClientAuthenticationFlow.Presented {
        let words = field.split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].lowercased() == "basic", let data = Data(base64Encoded: String(words[1])),
            let colon = data.firstIndex(of: UInt8(ascii: ":")),
            let name = FormBody.decode(ArraySlice(data[..<colon])),
            let text = FormBody.decode(ArraySlice(data[colon...].dropFirst()))
        else {
            throw OAuthError(.invalidClient, "Authorization is Basic, with id and secret.", cause: .unknownClient)
        }
        let client = try id(name)
        guard try form["client_id"].map(id) ?? client == client else {
            throw OAuthError(.invalidRequest, "The request names two clients.", cause: .invalidRequest)
        }
        return .secret(try secret(text), of: client)
    }

    private static func id(_ text: String) throws -> ClientID {
        guard let id = ClientID(text) else {
            throw OAuthError(.invalidClient, "This is not the id of a client.", cause: .unknownClient)
        }
        return id
    }

    private static func secret(_ text: String) throws -> OneTimeToken {
        guard let secret = OneTimeToken(.clientSecret, presented: text) else {
            throw OAuthError(.invalidClient, "This is not the secret of a client.", cause: .unknownClient)
        }
        return secret
    }
}

extension Request {
    /// The form of an endpoint of the issuer; nothing may stand in the query.
    ///
    /// An address ends up in logs and histories (RFC 6750, section 5.3).
    func issuerForm() async throws -> FormBody {
        guard uri.query == nil else {
            throw OAuthError(.invalidRequest, "Send the parameters in the body.", cause: .invalidRequest)
        }
        return try await form()
    }
}

extension FormBody {
    /// A parameter's value; throws an `OAuthError` where it was left out.
    func required(_ name: String) throws -> String {
        guard let value = self[name] else {
            throw OAuthError(.invalidRequest, "The parameter \(name) is missing.", cause: .invalidRequest)
        }
        return value
    }
}
