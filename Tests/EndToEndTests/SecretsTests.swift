import Curl
import Foundation
import GatepostDev
import GatepostModel
import TestSupport
import Testing

/// What a thief of the logs, of a dump or of the disk finds of the secrets that a story has seen: nothing.
@Suite("Secrets at rest", .timeLimit(.minutes(20)))
struct SecretsTests {
    @Test func `no log, dump or write-ahead log holds a secret in any form`() async throws {
        // A server that logs every statement with its parameters: not even there may a secret be seen.
        let postgres = try await LocalPostgres.temporary(settings: [
            "log_statement": "all", "log_min_duration_statement": "0", "log_parameter_max_length": "-1",
            "log_error_verbosity": "default",
            "wal_level": "logical", "max_wal_size": "4GB", "checkpoint_timeout": "1h",
        ])
        do {
            try await lookForSecrets(on: Cluster(postgres))
            await postgres.stop()
        } catch {
            await postgres.stop()
            throw error
        }
    }

    private func lookForSecrets(on cluster: Cluster) async throws {
        try await Installation.running(on: cluster, settings: ["GATEPOST_LOG_LEVEL": "trace"]) { installation in
            try await installation.serve()
            try await installation.work()
            var story = try await Story.begin(in: installation)
            try await story.scannersOpenTheLink()
            try await story.verifyBoth()
            let tokens = try await story.session(of: story.lighthouse, password: App.password, "first")
            _ = try await story.refresh(tokens, of: story.lighthouse, "refreshed")
            _ = try await story.session(of: story.harbour, password: Story.otherPassword, "second")
            // What is refused must not be told either.
            _ = try await story.lighthouse.app.signIn(Story.email, password: "thirteen wrong words for a door")
            var planted = story.planted
            planted["wrong password"] = "thirteen wrong words for a door"
            planted.merge(try await crowd(in: story.lighthouse.app)) { $1 }
            #expect(planted.count >= 100)
            planted.merge(try await secondFactor(in: story.harbour.app)) { $1 }
            planted["client secret"] = try await clientSecret(of: story.harbour.app)

            try await sendNotice(about: tokens, of: story.lighthouse.app, planting: &planted)

            let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("gatepost-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: scratch) }
            let files = try await remains(of: installation, in: scratch)
            let finds: [[String]] = try await Outside.ask(
                "find_secrets.py", Question(files: files.all, secrets: planted))
            #expect(finds == [], "secrets at rest")

            // The search itself finds what is there: the address, which is no secret, in each kind of file.
            for file in files.withAddress {
                let found: [[String]] = try await Outside.ask(
                    "find_secrets.py", Question(files: [file], secrets: ["address": Story.email.lowercased()]))
                #expect(!found.isEmpty, "\(file) is not what is searched for")
            }
        }
    }

    /// A dozen people more, each with all that one can hold.
    private func crowd(in app: App) async throws -> [String: String] {
        var planted: [String: String] = [:]
        for number in 1...12 {
            let (email, password) = ("person-\(number)@example.com", "the \(number)th umbrella in the rain")
            let signUp = try await app.signUp(email, password: password)
            try await app.installation.waitUntilNothingIsOwed()
            let mail = try #require(await app.installation.relay.mails().first { $0.recipients == [email] })
            let secrets = try MailSecrets(mail)
            #expect(try await app.verify(signUp, code: secrets.code).status == 200)
            let answer = try await app.signIn(email, password: password)
            let code = try #require(answer.field("code"), "\(answer.text)")
            let tokens = try App.Tokens(try await app.exchange(code))
            let all = [
                "password": password, "flow token": signUp.token, "link": secrets.linkToken, "code": secrets.code,
                "authorization code": code, "access token": tokens.access, "refresh token": tokens.refresh,
            ]
            for (kind, secret) in all { planted["\(kind) of \(email)"] = secret }
        }
        return planted
    }

    /// A person with an authenticator, who signs in once with it lost: a recovery code is used up, the others wait.
    private func secondFactor(in app: App) async throws -> [String: String] {
        let email = "grace@example.com"
        try await app.openAccount(email)
        let first = try await app.signIn(email, password: App.personPassword)
        let tokens = try App.Tokens(try await app.exchange(try #require(first.field("code"), "\(first.text)")))
        let begun = try await app.asUser(
            tokens.access, "POST", "me/factors/totp", ["password": App.personPassword])
        let seed = try #require(begun.field("secret"), "\(begun.text)")
        let code = TOTPSeed(typed: seed).code(of: Int64(Date().timeIntervalSince1970) / TOTPSeed.stepSeconds)
        let confirmed = try await app.asUser(
            tokens.access, "POST", "me/factors/totp/confirm", ["code": code.revealed])
        struct Codes: Decodable {
            let recovery_codes: [String]
        }
        let codes = try JSONDecoder().decode(Codes.self, from: Data(confirmed.body)).recovery_codes
        try #require(codes.count == 10, "\(confirmed.text)")

        let asked = try await app.signIn(email, password: App.personPassword)
        let token = try #require(asked.field("challenge_token"), "\(asked.text)")
        let answered = try await app.post(
            "/v1/apps/\(app.id)/sign-ins/factor/verify",
            ["challenge": try #require(asked.field("challenge")), "challenge_token": token, "code": codes[0]])
        var planted = [
            "seed": seed, "otpauth link": try #require(begun.field("uri")), "challenge token": token,
            "authorization code of two factors": try #require(answered.field("code"), "\(answered.text)"),
            "device token": try #require(answered.field("device_token")),
        ]
        for (number, code) in codes.enumerated() { planted["recovery code \(number)"] = code }
        return planted
    }

    /// What a client has proved itself with.
    private func clientSecret(of app: App) async throws -> String {
        let (client, secret) = try await app.installation.addConfidentialClient(to: app.id)
        #expect(try await app.installation.clientToken(app.id, client, secret) != nil)
        return secret
    }

    /// Adds an endpoint, rotates its secret and sends it a notice that both secrets sign.
    private func sendNotice(
        about tokens: App.Tokens, of app: App, planting planted: inout [String: String]
    ) async throws {
        let installation = app.installation
        let key = try await installation.makeAPIKey()
        let headers: KeyValuePairs = ["Authorization": "Bearer \(key)", "Content-Type": "application/json"]
        try await HTTPSink.running { sink in
            let path = "/v1/admin/apps/\(app.id)/webhook-endpoints"
            let made = try await installation.send(
                "POST", path, headers: headers,
                body: #"{"url": "\#(sink.url())", "event_types": ["session.ended"]}"#)
            let id = try #require(made.field("id"), "\(made.text)")
            let rotated = try await installation.send(
                "POST", "\(path)/\(id)/rotate-secret", headers: headers, body: "{}")
            planted["API key"] = key
            let secrets: [String] = [made, rotated].compactMap { $0.field("secret") }
            try #require(secrets.count == 2)
            (planted["webhook secret"], planted["second webhook secret"]) = (secrets[0], secrets[1])
            #expect(try await app.asUser(tokens.access, "DELETE", "sessions/current").status == 204)
            try await installation.waitUntilNothingIsOwed()
            #expect(sink.requests.first?.header("webhook-signature")?.contains(" v1,") == true)
        }
    }

    private struct Question: Encodable {
        let files: [String]
        let secrets: [String: String]
    }

    private struct Remains {
        let all: [String]
        /// Those in which the person's address must be found.
        let withAddress: [String]
    }

    /// The programs' logs, the server's log, a dump, and the write-ahead log from the first byte on.
    private func remains(of installation: Installation, in scratch: URL) async throws -> Remains {
        let logs = scratch.appendingPathComponent("programs.log")
        let text = installation.started.map { $0.output + $0.errors }.joined()
        #expect(text.contains("sign-ups"), "the programs have logged nothing")
        try Data(text.utf8).write(to: logs)

        let folder = installation.cluster.postgres.folder
        let dump = scratch.appendingPathComponent("dump.sql")
        _ = try await OutsideProgram.run(
            try installation.cluster.programs() + "/pg_dump",
            ["--file=\(dump.path)", installation.cluster.postgres.url(database: installation.database)])

        try await installation.texts("select pg_switch_wal()::text")
        let segments = folder + "/data/pg_wal"
        let names = try FileManager.default.contentsOfDirectory(atPath: segments).sorted()
        let log = names.filter { $0.count == 24 }.map { "\(segments)/\($0)" }
        #expect(!log.isEmpty)
        return Remains(
            all: [logs.path, folder + "/server.log", dump.path] + log,
            withAddress: [dump.path, folder + "/server.log"])
    }
}
