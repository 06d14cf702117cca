import ArgumentParser
import GatepostFlows
import GatepostModel
import GatepostStore
import Passwords

/// `gatepost admins`: who administers, and with which keys programs do.
struct AdminsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admins", abstract: "Invite, list and revoke admins and API keys.",
        discussion: """
            The first owner is invited here, the others here or by an owner over the admin API. Roles: owner, admin,
            support, auditor; docs/api.md says what each may do.
            """,
        subcommands: [Invite.self, List.self, Revoke.self, SecondFactor.self, APIKeysCommand.self])

    /// The command `gatepost admins invite EMAIL`.
    struct Invite: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Invite somebody by mail; the link lives 7 days.",
            discussion: """
                Also makes what the built-in app needs before anybody can sign in: a signing key, and the client
                Console, whose id is printed.
                """)

        @Argument(help: "The address of the person.")
        var email: String
        @OptionGroup var grant: GrantOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard let address = EmailAddress(email) else {
                throw ValidationError("\(email) is not an address that mail can be sent to")
            }
            let grant = try self.grant.grant()
            try await Wiring.withOperator(.keys) { wiring in
                guard let client = try await wiring.adminSetupFlow().prepare() else {
                    throw ValidationError("the built-in app is missing; run gatepost migrate")
                }
                // Inviting hashes nothing: one thread is the least there is.
                let hasher = PasswordHasher(threads: 1, queueMax: 1)
                let flow = wiring.adminInvitationFlow(keys: try wiring.keyRing(), hasher: hasher)
                let outcome = try await flow.invite(address, as: grant, for: .byOperator)
                await hasher.shutdown()
                let made = Made(
                    invitation: try outcome.value().description, app: AppID.gatepost.description,
                    client: client.description)
                if output.json { return try Terminal.sayJSON(made) }
                Terminal.say("invitation  \(made.invitation)")
                Terminal.say("app         \(made.app)")
                Terminal.say("client      \(made.client)")
            }
        }

        private struct Made: Encodable {
            let invitation: String
            let app: String
            let client: String
        }
    }

    /// The command `gatepost admins list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List admins with their roles.")

        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Wiring.withOperator(.database) { wiring in
                let rows = try await wiring.adminGrantFlow().admins(limit: 1000).flatMap { admin in
                    admin.grants.map { grant in
                        Row(
                            user: admin.user.id.description, email: admin.user.email, role: grant.role.rawValue,
                            app: grant.app?.description, state: admin.user.isDeactivated ? "deactivated" : "active")
                    }
                }
                try Terminal.sayList(rows, asJSON: output.json, headings: ["USER", "EMAIL", "ROLE", "APP", "STATE"]) {
                    [$0.user, $0.email, $0.role, $0.app ?? "all", $0.state]
                }
            }
        }

        private struct Row: Encodable {
            let user: String
            let email: String
            let role: String
            let app: String?
            let state: String
        }
    }

    /// The command `gatepost admins revoke USER`.
    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a role away; the last owner keeps theirs.")

        @Argument(help: "The user's id, as list shows it.")
        var user: String
        @Option(help: "The app that the role is for; the role for all apps unless given.")
        var app: String?
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard let id = UserID(user) else { throw ValidationError("\(user) is not the id of a user (usr_…)") }
            let target = try app.map(AppID.init(argument:))
            try await Wiring.withOperator(.database) { wiring in
                let outcome = try await wiring.adminGrantFlow().remove(from: id, for: target, for: .byOperator)
                try Terminal.sayDone("revoked", outcome.value(), asJSON: output.json)
            }
        }
    }
}

/// `--role` and `--app`, for whatever gives rights away.
struct GrantOptions: ParsableArguments {
    @Option(help: "One of \(AdminRole.allCases.map(\.rawValue).joined(separator: ", ")).")
    var role: String
    @Option(help: "The app that the role is for; all apps unless given.")
    var app: String?

    func grant() throws -> AdminGrant {
        guard let known = AdminRole(rawValue: role) else { throw ValidationError("no such role: \(role)") }
        guard known != .owner || app == nil else { throw ValidationError("owners are owners of all apps") }
        return AdminGrant(known, in: try app.map(AppID.init(argument:)))
    }
}

/// What a flow refused, in an operator's terms.
struct RefusedByFlow: Error, CustomStringConvertible {
    let refusal: Refusal

    var description: String { refusal.detail ?? refusal.code.title }
}

extension AdminOutcome {
    /// What was done; throws what was refused.
    func value() throws -> Value {
        switch self {
        case .done(let value): return value
        case .refused(let refusal): throw RefusedByFlow(refusal: refusal)
        }
    }
}

extension AdminRequest {
    /// Asked at the command line.
    static let byOperator = AdminRequest(.operator, from: .none)
}

extension AppID {
    init(argument: String) throws {
        guard let id = AppID(argument) else { throw ValidationError("\(argument) is not the id of an app (app_…)") }
        self = id
    }
}
