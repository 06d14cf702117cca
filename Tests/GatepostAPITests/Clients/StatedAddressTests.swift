import Curl
import GatepostModel
import GatepostStore
import TestSupport
import Testing

/// An app's own server says for whom it calls, and nobody else does.
@Suite("Stated addresses")
struct StatedAddressTests {
    /// A token of a client's own.
    private func token(_ server: TestServer, _ client: ConfidentialClient) async throws -> String {
        let answer = try await server.issuer(
            "token", ["grant_type": "client_credentials"], authorization: client.basic)
        return try #require(answer.field("access_token"), "\(answer.text)")
    }

    /// Tries a wrong password, for somebody at an address.
    private func guess(
        _ server: TestServer, _ email: String = "ada@example.com", at address: String?, by token: String?
    ) async throws -> HTTPResponse {
        var fields = [HTTPRequest.Header("Content-Type", "application/json")]
        if let address { fields.append(.init("Gatepost-User-IP", address)) }
        if let token { fields.append(.init("Authorization", "Bearer \(token)")) }
        let body = """
            {"client_id": "\(server.app.client)", "redirect_uri": "\(TestFlows.redirectURI)", \
            "code_challenge": "\(TestServer.challenge)", "code_challenge_method": "S256", "email": "\(email)", \
            "password": "nothing of the kind at all"}
            """
        return try await server.send("POST", "\(server.api)/sign-ins", fields: fields, body: Array(body.utf8))
    }

    @Test func `each person has tries of their own, and the trail says who stated the address`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let client = try await server.confidentialClient()
            let token = try await token(server, client)
            for _ in 0..<20 {
                #expect(try await guess(server, at: "203.0.113.7", by: token).problem == .invalidCredentials)
            }
            #expect(try await guess(server, at: "203.0.113.7", by: token).problem == .rateLimited)
            #expect(try await guess(server, at: "203.0.113.8", by: token).problem == .invalidCredentials)
            #expect(try await guess(server, at: "2001:db8::1", by: token).problem == .invalidCredentials)
            #expect(try await guess(server, at: nil, by: nil).problem == .invalidCredentials, "the connection's own")
            let stated = try await server.texts(
                """
                select distinct ip || ' ' || coalesce(details::jsonb->>'ip_stated_by', 'seen') as text
                  from audit_events where kind = 'sign_in.refused' order by text
                """)
            #expect(
                stated == [
                    "127.0.0.1 seen", "2001:db8::1 \(client.id)", "203.0.113.7 \(client.id)",
                    "203.0.113.8 \(client.id)",
                ])
        }
    }

    @Test func `nobody else states one, and no try is spent`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let client = try await server.confidentialClient()
            let mine = try await token(server, client)
            let other = try await TestFlows.make(clock: server.app.clock)
            try await TestServer.running(flows: other) { elsewhere in
                let foreign = try await token(elsewhere, try await elsewhere.confidentialClient())
                #expect(try await guess(server, at: "203.0.113.7", by: foreign).problem == .permissionDenied)
            }
            let user = try await server.session().access
            let before = try await server.state()
            for token in [user, client.secret, mine + "x", "x.y.z"] {
                #expect(try await guess(server, at: "203.0.113.7", by: token).problem == .permissionDenied)
            }
            #expect(try await guess(server, at: "203.0.113.7", by: nil).problem == .invalidAccessToken)
            for address in ["", "localhost", "203.0.113.7, 10.0.0.1", "203.0.113.7:80", "203.0.113.256"] {
                let answer = try await guess(server, at: address, by: mine)
                #expect((400..<500).contains(answer.status) && answer.problem != .invalidCredentials, "\(address)")
            }
            #expect(try await server.state() == before)
            // A user's own routes take their own token only.
            let me = try await server.send(
                "GET", "\(server.api)/me",
                headers: ["Authorization": "Bearer \(user)", "Gatepost-User-IP": "203.0.113.7"])
            #expect(me.problem == .permissionDenied)
            let own = try await server.send("GET", "\(server.api)/me", headers: ["Authorization": "Bearer \(mine)"])
            #expect(own.problem == .invalidAccessToken, "a client's own token is nobody's account")

            server.app.clock.advance(by: .hours(1))
            #expect(try await guess(server, at: "203.0.113.7", by: mine).problem == .permissionDenied, "expired")
        }
    }

    /// Any confidential client once did, a third party's too: it spent the tries of addresses that it made up.
    @Test func `a third party states none`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let client = try await server.confidentialClient()
            let token = try await token(server, client)
            #expect(try await guess(server, at: "203.0.113.7", by: token).problem == .invalidCredentials)
            try await server.change(client.id, #"{"party": "third_party"}"#)
            #expect(try await guess(server, at: "203.0.113.7", by: token).problem == .permissionDenied)
        }
    }

    @Test func `mails are counted by it as well`() async throws {
        try await TestServer.running { server in
            let token = try await token(server, try await server.confidentialClient())
            func signUp(_ number: Int, at address: String) async throws -> HTTPResponse {
                let body = #"{"email": "u\#(number)@example.com", "password": "\#(TestServer.password)"}"#
                return try await server.post(
                    "\(server.api)/sign-ups", json: body,
                    headers: ["Authorization": "Bearer \(token)", "Gatepost-User-IP": address])
            }
            let most = Int(AppSettings().clientMailsMax)
            for number in 0..<most { #expect(try await signUp(number, at: "203.0.113.7").status == 202) }
            #expect(try await signUp(most, at: "203.0.113.7").problem == .rateLimited)
            #expect(try await signUp(most, at: "203.0.113.8").status == 202)
        }
    }
}
