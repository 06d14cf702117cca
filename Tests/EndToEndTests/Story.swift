import Curl
import GatepostDev
import GatepostModel
import TestSupport
import Testing

/// The whole way of one person through two apps that know nothing of each other.
///
/// Told by a test, and told again where something else is to be seen on the way: other settings, what is left on disk.
struct Story {
    static let email = "Ada.Lovelace@example.com"
    static let otherPassword = "nine herons in the morning fog"

    /// What one app knows of the person.
    struct Chapter: Sendable {
        let app: App
        let signUp: App.SignUp
        let mail: ReceivedMail
        let secrets: MailSecrets
    }

    let installation: Installation
    /// Verified by the mail's link.
    let lighthouse: Chapter
    /// Verified by the typed code.
    let harbour: Chapter
    /// Every secret that the person or an app has held, by what it is.
    private(set) var planted: [String: String]

    /// Signs the same person up in two apps and receives both mails.
    static func begin(in installation: Installation) async throws -> Story {
        let apps = (try await installation.makeApp("Lighthouse"), try await installation.makeApp("Harbour"))
        let first = try await apps.0.signUp(email)
        let second = try await apps.1.signUp(email, password: otherPassword)
        try await installation.waitUntilNothingIsOwed()
        let lighthouse = try await chapter(apps.0, first, installation)
        let harbour = try await chapter(apps.1, second, installation)
        return Story(
            installation: installation, lighthouse: lighthouse, harbour: harbour,
            planted: [
                "password": App.password, "other password": otherPassword, "link": lighthouse.secrets.linkToken,
                "code": lighthouse.secrets.code, "other link": harbour.secrets.linkToken,
                "other code": harbour.secrets.code, "flow token": first.token, "other flow token": second.token,
            ])
    }

    /// The app's part of the story; its mail must have come exactly once.
    private static func chapter(_ app: App, _ signUp: App.SignUp, _ installation: Installation) async throws -> Chapter
    {
        let mails = await installation.relay.mails().filter { CaughtMail($0).text.contains(app.id) }
        let mail = try #require(mails.first)
        #expect(mails.count == 1)
        #expect(mail.recipients == [email])
        return Chapter(app: app, signUp: signUp, mail: mail, secrets: try MailSecrets(mail))
    }

    /// A scanner opens the link; nothing must change, and the link must still be good.
    func scannersOpenTheLink() async throws {
        let before = try await installation.contents()
        for method in ["HEAD", "GET", "GET", "GET"] {
            let answer = try await installation.send(
                method, lighthouse.secrets.link, headers: ["User-Agent": "Scanner/1.0"])
            #expect(answer.status == 200)
        }
        #expect(try await installation.contents() == before)
    }

    /// One click in the one app, the typed code in the other.
    func verifyBoth() async throws {
        let clicked = try await installation.click(lighthouse.secrets.link, cookie: lighthouse.signUp.cookie)
        #expect(clicked.status == 200)
        let again = try await installation.click(lighthouse.secrets.link, cookie: lighthouse.signUp.cookie)
        #expect(again.status == 410)
        // The secrets of one app are nothing to the other.
        let foreign = try await harbour.app.verify(harbour.signUp, code: lighthouse.secrets.code)
        #expect(foreign.problem == .invalidCode)
        let typed = try await harbour.app.verify(harbour.signUp, code: harbour.secrets.code)
        #expect(typed.status == 200)
    }

    /// Signs in to an app and exchanges the code.
    mutating func session(of chapter: Chapter, password: String, _ name: String) async throws -> App.Tokens {
        let answer = try await chapter.app.signIn(Self.email, password: password)
        let code = try #require(answer.field("code"), "\(answer.status) \(answer.text)")
        planted["\(name): authorization code"] = code
        let tokens = try App.Tokens(try await chapter.app.exchange(code))
        plant(tokens, name)
        return tokens
    }

    /// Refreshes; the old token's exchange may be repeated for a while and gives the same successor.
    mutating func refresh(_ tokens: App.Tokens, of chapter: Chapter, _ name: String) async throws -> App.Tokens {
        let next = try App.Tokens(try await chapter.app.refresh(tokens.refresh))
        #expect(next.refresh != tokens.refresh)
        let repeated = try App.Tokens(try await chapter.app.refresh(tokens.refresh))
        #expect(repeated.refresh == next.refresh)
        plant(next, name)
        planted["\(name): repeated access token"] = repeated.access
        return next
    }

    private mutating func plant(_ tokens: App.Tokens, _ name: String) {
        planted["\(name): access token"] = tokens.access
        planted["\(name): refresh token"] = tokens.refresh
    }
}

extension Installation {
    /// Everything that stands in the database, table by table, but for the runs of jobs, which go on meanwhile.
    func contents() async throws -> [String] {
        let tables = try await texts(
            """
            select c.relname::text from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
             where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition
               and c.relname not in ('job_runs', 'schema_migrations')
             order by c.relname
            """)
        #expect(tables.count > 10)
        var contents: [String] = []
        for table in tables {
            let hash = try await texts(
                """
                select count(*) || ' ' || coalesce(md5(string_agg(t::text, ' ' order by t::text)), '')
                  from \(table) as t
                """)
            contents.append("\(table) \(hash.joined())")
        }
        return contents
    }
}
