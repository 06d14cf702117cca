import ArgumentParser
import GatepostFlows
import GatepostModel
import GatepostStore

/// `gatepost users`: an app's people, looked at and let in or kept out.
struct UsersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users", abstract: "Find an app's users, deactivate and reactivate them, sign them out.",
        subcommands: [List.self, Show.self, Deactivate.self, Reactivate.self, SignOut.self])

    /// The command `gatepost users list APP`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List an app's users, newest first.")

        @Argument(help: "The app's id.")
        var app: String
        @Option(help: "Only those whose address begins with this.")
        var email: String?
        @Option(help: "Only those of a state: \(UserFilter.State.allCases.map(\.rawValue).joined(separator: ", ")).")
        var state: String?
        @Option(help: "How many rows at most, 1 to 1000.")
        var limit = 100
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard (1...1000).contains(limit) else { throw ValidationError("--limit is a number from 1 to 1000") }
            let state = try self.state.map { text in
                guard let state = UserFilter.State(rawValue: text) else {
                    throw ValidationError("there is no state \(text); see --help")
                }
                return state
            }
            let filter = UserFilter(emailPrefix: email, state: state)
            try await Wiring.withOperator(.database) { wiring in
                let scope = try await wiring.scope(of: app)
                let users = try await wiring.adminUserFlow().users(filter, after: nil, limit: limit, in: scope)
                try Terminal.sayList(
                    users.map(UserRow.init), asJSON: output.json,
                    headings: ["USER", "EMAIL", "STATE", "VERIFIED", "CREATED"]
                ) { row in
                    [
                        row.user, row.email, row.state, row.emailVerifiedAt?.description ?? "-",
                        row.createdAt.description,
                    ]
                }
            }
        }
    }

    /// The command `gatepost users show APP USER`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one user with roles and the sessions that live.")

        @OptionGroup var target: UserTarget
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Wiring.withOperator(.database) { wiring in
                let scope = try await wiring.scope(of: target.app)
                let id = try await target.id(wiring, in: scope)
                guard let detail = try await wiring.adminUserFlow().user(id, in: scope) else {
                    throw ValidationError("the app has no user \(id)")
                }
                let shown = Shown(
                    user: UserRow(detail.user), roles: detail.roles.map(\.name),
                    sessions: detail.sessions.map(SessionRow.init))
                if output.json { return try Terminal.sayJSON(shown) }
                Terminal.say("user      \(shown.user.user)")
                Terminal.say("email     \(shown.user.email)")
                Terminal.say("state     \(shown.user.state)")
                Terminal.say("verified  \(shown.user.emailVerifiedAt?.description ?? "-")")
                Terminal.say("created   \(shown.user.createdAt)")
                Terminal.say("roles     \(shown.roles.isEmpty ? "-" : shown.roles.joined(separator: " "))")
                Terminal.sayTable(
                    ["SESSION", "CLIENT", "DEVICE", "CREATED", "LAST USED", "EXPIRES"],
                    shown.sessions.map { row in
                        [
                            row.session, row.client ?? "-", row.device ?? "-", row.createdAt.description,
                            row.lastUsedAt.description, row.expiresAt.description,
                        ]
                    })
            }
        }

        private struct Shown: Encodable {
            let user: UserRow
            let roles: [String]
            let sessions: [SessionRow]
        }

        private struct SessionRow: Encodable {
            let session: String
            let client: String?
            let device: String?
            let createdAt: Instant
            let lastUsedAt: Instant
            let expiresAt: Instant

            init(_ record: SessionRecord) {
                (session, client) = (record.id.description, record.clientID?.description)
                (device, createdAt) = (record.device, record.createdAt)
                (lastUsedAt, expiresAt) = (record.lastUsedAt, record.expiresAt)
            }
        }
    }
}

/// The user that a command is about.
struct UserTarget: ParsableArguments {
    @Argument(help: "The app's id.")
    var app: String
    @Argument(help: "The user's id, or their address.")
    var user: String

    /// The user's id; throws a usage error for somebody whom the app does not know.
    func id(_ wiring: Wiring, in scope: AppScope) async throws -> UserID {
        if let id = UserID(user) { return id }
        guard let email = EmailAddress(user) else {
            throw ValidationError("\(user) is neither the id of a user (usr_…) nor an address")
        }
        guard let known = try await wiring.database.batch(in: scope, { $0.user(email: email) }) else {
            throw ValidationError("the app has no user \(user)")
        }
        return known.id
    }
}

/// A user as the command line shows them.
struct UserRow: Encodable {
    let user: String
    let email: String
    let state: String
    let emailVerifiedAt: Instant?
    let createdAt: Instant
    let deactivatedAt: Instant?

    init(_ record: UserRecord) {
        (user, email) = (record.id.description, record.email)
        state = record.isDeactivated ? "deactivated" : "active"
        (emailVerifiedAt, createdAt, deactivatedAt) = (record.emailVerifiedAt, record.createdAt, record.deactivatedAt)
    }
}
