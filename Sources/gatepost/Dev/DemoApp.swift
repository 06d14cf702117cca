import GatepostFlows
import GatepostModel
import GatepostStore

/// The app that `gatepost dev` comes with, so that the first request needs no preparation.
struct DemoApp {
    static let name = "Demo"
    static let redirectURI = "http://localhost:3000/callback"

    let app: AppID
    let client: ClientID

    /// The demo app of an earlier start, or a new one.
    static func findOrCreate(_ wiring: Wiring) async throws -> DemoApp {
        let known = try await wiring.database.apps().first { $0.name == name }
        if let scope = known?.scope,
            let client = try await wiring.database.batch(in: scope, { $0.clients() }).first
        {
            return DemoApp(app: scope.appID, client: client.id)
        }
        let flow = try wiring.appFlow()
        let app = try await flow.createApp(named: name)
        guard let uri = RedirectURI(redirectURI), let scope = try await wiring.database.scope(of: app) else {
            throw UnusableSetting(.databaseURL, "lost the demo app that was just created")
        }
        let client = try await flow.createClient(
            named: "Demo client", redirectURIs: [uri], idTokenAlgorithm: .es256, in: scope)
        return DemoApp(app: app, client: client)
    }
}

/// What `gatepost dev` prints once it is up: what to open, and what to type next.
struct DevGreeting {
    let baseURL: String
    let demo: DemoApp
    let adminKey: Secret
    let data: String

    /// Where the demo client would send a browser to be signed in.
    ///
    /// The challenge is that of RFC 7636, appendix B: whoever takes the code from the address that the browser ends at
    /// exchanges it with the verifier that is printed there.
    private var authorizeURL: String {
        "\(baseURL)/apps/\(demo.app)/oauth/authorize?response_type=code&client_id=\(demo.client)"
            + "&redirect_uri=http%3A%2F%2Flocalhost%3A3000%2Fcallback&state=demo"
            + "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
    }

    func say() {
        let text = """

            Gatepost is up at \(baseURL)  (data in \(data); stop with Ctrl-C)

              mails        \(baseURL)/dev/mails
              demo app     \(demo.app)
              its client   \(demo.client)
              redirect to  \(DemoApp.redirectURI)
              admin key    \(adminKey.revealed)

            In a browser:

              account      \(baseURL)/apps/\(demo.app)/account
              as client    \(authorizeURL)

            Next, in another terminal:

              export GATEPOST=\(baseURL) APP=\(demo.app) CLIENT=\(demo.client) ADMIN=\(adminKey.revealed)
              curl -i -c cookies.txt $GATEPOST/v1/apps/$APP/sign-ups \\
                -H 'Content-Type: application/json' \\
                -d '{"email": "ada@example.com", "password": "a walk along the river"}'

            Then open the mail. README.md, "The tour", goes on from there.
            """
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) { Terminal.say(String(line)) }
    }
}
