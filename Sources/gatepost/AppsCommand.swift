import ArgumentParser
import GatepostFlows
import GatepostModel
import GatepostStore

/// `gatepost apps`: apps and their settings.
struct AppsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apps", abstract: "Create and list apps, change their settings, suspend them.",
        subcommands: [Create.self, List.self, History.self, Limits.self, Suspend.self, Resume.self])

    /// The command `gatepost apps create NAME`.
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create an app with a signing key and its first client.")

        @Argument(help: "What people read in mails and on pages, up to 100 characters.")
        var name: String
        @Option(name: .customLong("redirect-uri"), help: "Where the client may be sent back to; may be repeated.")
        var redirectURIs: [String] = []
        @Option(help: "The client's name; the app's unless given.")
        var client: String?
        @Option(name: .customLong("id-token-alg"), help: "What the client's ID tokens are signed with: RS256 or ES256.")
        var idTokenAlgorithm = SigningAlgorithm.rs256
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let redirectURIs = try ClientRules.list(self.redirectURIs, of: "redirect-uris")
                .map(RedirectURI.init(argument:))
            // An app's name has the rules of a client's, which it names too unless another is given.
            let (name, client) = (
                try ClientRules.name(argument: self.name), try ClientRules.name(argument: self.client ?? self.name)
            )
            try await Wiring.withOperator(.keys) { wiring in
                let flow = try wiring.appFlow()
                let app = try await flow.createApp(named: name)
                guard let scope = try await wiring.database.scope(of: app) else { return }
                let made = Made(
                    app: app.description,
                    client: try await flow.createClient(
                        named: client, redirectURIs: redirectURIs, idTokenAlgorithm: idTokenAlgorithm, in: scope
                    ).description)
                if output.json { return try Terminal.sayJSON(made) }
                Terminal.say("app     \(made.app)")
                Terminal.say("client  \(made.client)")
            }
        }

        private struct Made: Encodable {
            let app: String
            let client: String
        }
    }

    /// The command `gatepost apps list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all apps.")

        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Wiring.withOperator(.database) { wiring in
                let rows = try await wiring.database.apps().map { app in
                    Row(
                        app: app.scope.appID.description, name: app.name,
                        state: app.isSuspended ? "suspended" : "active", createdAt: app.createdAt)
                }
                try Terminal.sayList(rows, asJSON: output.json, headings: ["APP", "NAME", "STATE", "CREATED"]) {
                    [$0.app, $0.name, $0.state, $0.createdAt.description]
                }
            }
        }

        private struct Row: Encodable {
            let app: String
            let name: String
            let state: String
            let createdAt: Instant
        }
    }
}

extension AppsCommand {
    /// The command `gatepost apps history APP`.
    struct History: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show how long an app keeps its history, or change it.",
            discussion: "What is past a shorter time is hidden within a second and deleted within the hour.")

        @Argument(help: "The app's id.")
        var app: String
        @Option(help: "How many days the delivery ledger goes back, 1 to 90.")
        var deliveryDays: Int64?
        @Option(help: "How many days the audit trail goes back, 30 to 3660.")
        var auditDays: Int64?
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let isChange = deliveryDays != nil || auditDays != nil
            try await Wiring.withOperator(isChange ? .keys : .database) { wiring in
                let scope = try await wiring.scope(of: app)
                if isChange {
                    do {
                        try await wiring.appFlow().keepHistory(
                            deliveryDays: deliveryDays, auditDays: auditDays, in: scope)
                    } catch let error as AppFlow.SettingOutOfBounds {
                        throw ValidationError("\(error.field) is out of its bounds; see --help")
                    }
                }
                let kept = Kept(
                    deliveryDays: deliveryDays ?? scope.settings.deliveryHistoryLife.wholeSeconds / 86400,
                    auditDays: auditDays ?? scope.settings.auditHistoryLife.wholeSeconds / 86400)
                if output.json { return try Terminal.sayJSON(kept) }
                Terminal.say("deliveries  \(kept.deliveryDays) days")
                Terminal.say("audit       \(kept.auditDays) days")
            }
        }

        private struct Kept: Encodable {
            let deliveryDays: Int64
            let auditDays: Int64
        }
    }
}

extension RedirectURI {
    /// Takes a URI from the command line; throws a usage error for one that cannot be registered.
    init(argument: String) throws {
        guard let uri = RedirectURI(argument) else {
            throw ValidationError(
                "\(argument) cannot be registered: https, http on loopback, or a scheme with a dot; no fragment")
        }
        self = uri
    }
}
