import Curl
import GatepostModel
import TestSupport
import Testing

/// The steps of a person's way through the API by mail.
extension TestServer {
    /// A flow that was begun over HTTP.
    struct Mailed {
        let flow: FlowID
        let token: String
        let code: String
        let link: String
    }

    /// Reads what beginning a flow answered, and derives what its mail says.
    func mailed(_ answer: HTTPResponse, _ kind: FlowKind) throws -> Mailed {
        #expect(answer.status == 202, "\(answer.text)")
        let flow = try #require(answer.field("flow").flatMap(FlowID.init))
        let secrets = flows.secrets(of: flow, kind)
        return Mailed(
            flow: flow, token: try #require(answer.field("flow_token")), code: secrets.code.revealed,
            link: "\(hosted)/links/\(secrets.linkToken.secret.revealed)")
    }

    /// Asks for a sign-in by mail.
    func askEmailSignIn(
        _ email: String = "ada@example.com", headers: KeyValuePairs<String, String> = [:]
    ) async throws -> HTTPResponse {
        let fields = signInFields(email).filter { $0.key != "password" }.map { "\"\($0.key)\":\"\($0.value)\"" }
        return try await post(
            "\(api)/sign-ins/email", json: "{\(fields.joined(separator: ","))}", headers: headers)
    }

    /// Types a code where a flow was begun.
    func type(
        _ mailed: Mailed, code: String? = nil, at path: String, and more: [String: String] = [:]
    ) async throws -> HTTPResponse {
        let fields = ["flow": "\(mailed.flow)", "flow_token": mailed.token, "code": code ?? mailed.code]
        return try await post(path, fields.merging(more) { $1 })
    }

    /// Sends JSON with an access token.
    func send(_ method: String, _ path: String, as token: String, json: String) async throws -> HTTPResponse {
        try await send(
            method, path,
            headers: ["Authorization": "Bearer \(token)", "Content-Type": "application/json"],
            body: Array(json.utf8))
    }
}
