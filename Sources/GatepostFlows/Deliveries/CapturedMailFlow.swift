package import GatepostModel
package import GatepostStore

/// What admins, and programs that test an app, do with the mails that it captures: list them, open one.
package struct CapturedMailFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let keys: KeyRing

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, random: any RandomSource, keys: KeyRing) {
        (self.database, self.clock, self.random, self.keys) = (database, clock, random, keys)
    }

    /// A mail with what it says.
    package struct Opened: Sendable {
        package let mail: CapturedMailRecord
        package let content: CapturedContent
    }

    /// One page of an app's captured mails, the newest first; what they say stays sealed.
    package func mails(
        to address: EmailAddress?, after cursor: PageCursor?, limit: Int, in scope: AppScope
    ) async throws -> [CapturedMailRecord] {
        try await database.batch(in: scope) { batch in
            batch.capturedMails(to: address, after: cursor, at: clock.now, limit: limit)
        }
    }

    /// Opens a mail, which shows secrets that work: each opening is an event in the app's audit trail.
    ///
    /// - Returns: The mail; nil if the app has none of this id any more.
    /// - Throws: `PostgresError`, or `SealBroken` for one whose key is gone.
    package func open(_ id: MessageID, for request: AdminRequest, in scope: AppScope) async throws -> Opened? {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        let found = try await database.batch(in: scope) { $0.capturedMail(id, at: occasion.now) }
        guard let mail = found else { return nil }
        let content = try CapturedContent(sealed: mail.contentSealed, of: id, in: scope.appID, keys: keys)
        var event = occasion.event(.capturedMailOpened, by: request.actor, userID: mail.userID, flowID: mail.flowID)
        event.details["message"] = id.description
        try await database.batch(in: scope) { [event] batch in batch.record(event) }
        return Opened(mail: mail, content: content)
    }

    /// The newest mails of every app that captures, opened: for `gatepost dev`, whose operator owns all there is.
    package func newestOfAllApps(limit: Int) async throws -> [Opened] {
        var opened: [Opened] = []
        for app in try await database.apps() where app.scope.settings.capturesMails {
            let mails = try await database.batch(in: app.scope) { batch in
                batch.capturedMails(at: clock.now, limit: limit, withContent: true)
            }
            opened += mails.compactMap { mail in
                let content = try? CapturedContent(
                    sealed: mail.contentSealed, of: mail.id, in: app.scope.appID, keys: keys)
                return content.map { Opened(mail: mail, content: $0) }
            }
        }
        return opened
    }
}
