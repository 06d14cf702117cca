import Curl
import GatepostModel
import TestSupport
import Testing

@Suite("Password and address over HTTP")
struct AccountChangeRoutesTests {
    static let newPassword = "a lighthouse above seven cold harbours"

    @Test func `a reset by its code changes the password and signs nobody in`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let old = try await server.session()
            let asked = try await server.post("\(server.api)/password-resets", ["email": "ada@example.com"])
            let mailed = try server.mailed(asked, .passwordReset)

            let answer = try await server.type(
                mailed, at: "\(server.api)/password-resets/confirm", and: ["password": Self.newPassword])

            #expect(answer.status == 204 && answer.body.isEmpty)
            #expect(try await server.me(old.access).problem == .sessionEnded)
            #expect(try await server.signIn().problem == .invalidCredentials)
            #expect(try await server.signIn(password: Self.newPassword).status == 200)
        }
    }

    @Test func `a reset is answered alike for a known and an unknown address`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            var shapes: Set<String> = []
            for email in ["ada@example.com", "eve@example.com"] {
                let asked = try await server.post("\(server.api)/password-resets", ["email": email])
                let wrong = try await server.type(
                    try server.mailed(asked, .passwordReset), code: "00000000",
                    at: "\(server.api)/password-resets/confirm", and: ["password": Self.newPassword])
                let problem = String(describing: wrong.problem)
                let names = asked.headers.map(\.name) + wrong.headers.map(\.name)
                shapes.insert("\(asked.status) \(asked.text.utf8.count) \(wrong.status) \(problem) \(names)")
            }
            #expect(shapes.count == 1, "\(shapes)")
        }
    }

    @Test func `a password is changed by the one that there is`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let (here, there) = (try await server.session(), try await server.session())
            let path = "\(server.api)/me/password"
            let wrong = try await server.send(
                "PUT", path, as: here.access,
                json: #"{"current_password":"wrong but long enough","new_password":"\#(Self.newPassword)"}"#)
            #expect(wrong.problem == .invalidCredentials)

            let answer = try await server.send(
                "PUT", path, as: here.access,
                json: #"{"current_password":"\#(TestServer.password)","new_password":"\#(Self.newPassword)"}"#)

            #expect(answer.status == 204)
            #expect(try await server.me(here.access).status == 200)
            #expect(try await server.me(there.access).problem == .sessionEnded)
            #expect(try await server.signIn(password: Self.newPassword).status == 200)
            let without = try await server.send("PUT", path, as: "nothing", json: "{}")
            #expect(without.problem == .invalidAccessToken)
        }
    }

    @Test func `an address is changed by the code that went to the new one`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let here = try await server.session()
            let path = "\(server.api)/me/email-changes"
            let fields = #"{"email":"lovelace@example.org","password":"\#(TestServer.password)"}"#
            let mailed = try server.mailed(
                try await server.send("POST", path, as: here.access, json: fields), .emailChange)

            let answer = try await server.send(
                "POST", "\(path)/verify", as: here.access,
                json: #"{"flow":"\#(mailed.flow)","flow_token":"\#(mailed.token)","code":"\#(mailed.code)"}"#)

            #expect(answer.field("email") == "lovelace@example.org")
            #expect(try await server.me(here.access).field("user.email") == "lovelace@example.org")
            #expect(try await server.signIn().problem == .invalidCredentials)
            #expect(try await server.signIn("lovelace@example.org").status == 200)
            let same = try await server.send("POST", path, as: here.access, json: fields)
            #expect(same.problem == .conflict)
        }
    }

    /// CVE-2025-61928, better-auth: an id in the body decided whose account was changed.
    @Test func `abuse case 20: nobody names another user in a body`() async throws {
        try await TestServer.running { server in
            try await server.verifiedUser()
            let here = try await server.session()
            for (method, path) in [("PUT", "me/password"), ("POST", "me/email-changes")] {
                let answer = try await server.send(
                    method, "\(server.api)/\(path)", as: here.access, json: #"{"user_id":"usr_x"}"#)
                #expect(answer.problem == .unknownField)
            }
        }
    }
}
