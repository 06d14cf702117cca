import Curl
import GatepostModel
import GatepostStore
import Postgres
import TestSupport
import Testing

/// The steps of a person's way through the API, as tests take them.
extension TestServer {
    /// Where the app's API begins.
    var api: String { "/v1/apps/\(app.id)" }
    /// Where the app's pages and its token endpoint begin.
    var hosted: String { "/apps/\(app.id)" }

    /// A sign-up that was begun over HTTP, with what its mail says.
    struct Begun {
        let email: String
        let flow: FlowID
        let token: String
        /// The name and value of the cookie that the starting browser got.
        let cookie: String
        let link: String
        let code: String
    }

    /// Begins a sign-up.
    func begin(_ email: String = "ada@example.com", password: String = TestServer.password) async throws -> Begun {
        let answer = try await post("\(api)/sign-ups", ["email": email, "password": password])
        #expect(answer.status == 202, "\(answer.text)")
        let flow = try #require(answer.field("flow").flatMap(FlowID.init))
        let token = try #require(answer.field("flow_token"))
        let secrets = FlowSecrets(app: app.id, flow: flow, kind: .signUp, keys: app.keys)
        return Begun(
            email: email, flow: flow, token: token, cookie: "__Host-gatepost-\(app.id)=\(token)",
            link: "\(hosted)/links/\(secrets.linkToken.secret.revealed)", code: secrets.code.revealed)
    }

    /// Tries a typed code.
    func verify(_ begun: Begun, code: String? = nil) async throws -> HTTPResponse {
        try await post(
            "\(api)/sign-ups/verify",
            ["flow": "\(begun.flow)", "flow_token": begun.token, "code": code ?? begun.code])
    }

    /// A user whose address is verified.
    func verifiedUser(_ email: String = "ada@example.com") async throws {
        let begun = try await begin(email)
        #expect(try await verify(begun).status == 200)
    }

    /// The challenge that the client's PKCE verifier answers.
    static let challenge = CodeChallenge(verifier: TestFlows.codeVerifier)?.text ?? ""

    /// What a sign-in sends, but for what a test changes.
    func signInFields(
        _ email: String = "ada@example.com", password: String = TestServer.password
    ) -> [String: String] {
        [
            "client_id": "\(app.client)", "redirect_uri": TestFlows.redirectURI, "code_challenge": Self.challenge,
            "code_challenge_method": "S256", "email": email, "password": password,
        ]
    }

    /// Signs in with the password.
    func signIn(_ email: String = "ada@example.com", password: String = TestServer.password) async throws
        -> HTTPResponse
    {
        try await post("\(api)/sign-ins", signInFields(email, password: password))
    }

    /// Exchanges a code.
    func exchange(
        _ code: String, client: ClientID? = nil, redirectURI: String = TestFlows.redirectURI,
        verifier: String = TestFlows.codeVerifier
    ) async throws -> HTTPResponse {
        try await post(
            "\(hosted)/oauth/token",
            form: [
                "grant_type": "authorization_code", "code": code, "client_id": "\(client ?? app.client)",
                "redirect_uri": redirectURI, "code_verifier": verifier,
            ])
    }

    /// Exchanges a refresh token.
    func refresh(_ token: String, client: ClientID? = nil) async throws -> HTTPResponse {
        try await post(
            "\(hosted)/oauth/token",
            form: ["grant_type": "refresh_token", "refresh_token": token, "client_id": "\(client ?? app.client)"])
    }

    /// The tokens of a new session.
    struct Tokens {
        let access: String
        let refresh: String

        init(_ answer: HTTPResponse) throws {
            access = try #require(answer.field("access_token"), "\(answer.text)")
            refresh = try #require(answer.field("refresh_token"))
        }
    }

    /// Signs a verified user in, to the end.
    func session(_ email: String = "ada@example.com") async throws -> Tokens {
        let code = try #require(try await signIn(email).field("code"))
        return try Tokens(try await exchange(code))
    }

    /// Asks who an access token is.
    func me(_ accessToken: String) async throws -> HTTPResponse {
        try await send("GET", "\(api)/me", headers: ["Authorization": "Bearer \(accessToken)"])
    }

    /// Registers another client of the app.
    func anotherClient() async throws -> ClientID {
        let id: ClientID = app.newID()
        let uris = [TestFlows.redirectURI].compactMap(RedirectURI.init)
        try await app.database.batch(in: app.scope) { batch in
            batch.insertClient(id, named: "Other", redirectURIs: uris, at: app.clock.now)
        }
        return id
    }
}

/// What stands in the app's tables.
extension TestServer {
    static let tables = [
        "users", "credentials", "flows", "authorization_codes", "sessions", "token_families", "refresh_tokens",
        "outbox", "rate_limits",
    ]

    /// Everything that the app's rows say, the audit trail aside: equal before and after what changed nothing.
    func state() async throws -> [String] {
        var state: [String] = []
        for table in Self.tables {
            let rows = try await texts(
                "select coalesce(string_agg(r::text, ' ' order by r::text), '') as text from \(table) as r")
            state.append("\(table) " + rows.joined())
        }
        return state
    }

    /// The audit events in order: kind, and reason if there is one.
    func events() async throws -> [String] {
        try await texts("select concat_ws(' ', kind, reason) as text from audit_events order by transaction_id, id")
    }

    /// The column `text` of a statement's rows.
    func texts(_ statement: String) async throws -> [String] {
        try await app.database.batch(in: app.scope) { batch in
            batch.read(.trusted(statement)) { try $0.map { try $0.get("text", as: String.self) } }
        }
    }

    /// Changes rows as no flow does.
    func tamper(_ statement: String) async throws {
        let pool = try await TestDatabase.current.superuserPool()
        _ = try await pool.batch([.trusted(statement)], on: .exclusive, deadline: .seconds(10))
        await pool.shutdown()
    }

    /// The app's id as the database writes it, quoted.
    var sqlID: String {
        let hex = app.id.uuid.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return "'\(hex)'"
    }
}
