package import GatepostModel
package import GatepostStore

/// Who is an admin: lists them, gives them roles and takes roles away.
package struct AdminGrantFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, random: any RandomSource) {
        (self.database, self.clock, self.random) = (database, clock, random)
    }

    /// One page of the admins, newest first.
    package func admins(after cursor: PageCursor? = nil, limit: Int) async throws -> [AdminRecord] {
        guard let scope = try await database.scope(of: .gatepost) else { return [] }
        return try await database.batch(in: scope) { $0.admins(after: cursor, limit: limit) }
    }

    /// One admin; nil for somebody who is none.
    package func admin(_ id: UserID) async throws -> AdminRecord? {
        guard let scope = try await database.scope(of: .gatepost) else { return nil }
        return try await database.batch(in: scope) { $0.admins(only: id, limit: 1) }.first
    }

    /// Gives somebody who has joined a role for an app or for all, in place of the one that they have there.
    ///
    /// - Parameters:
    ///   - grant: The role.
    ///   - user: Whose.
    ///   - request: Who asks; they give away no more than they have.
    /// - Returns: The user's id, or why not.
    /// - Throws: `PostgresError`.
    package func set(
        _ grant: AdminGrant, of user: UserID, for request: AdminRequest
    ) async throws -> AdminOutcome<UserID> {
        guard let scope = try await database.scope(of: .gatepost) else { return .refused(Refusal(.appNotFound)) }
        let isApp = try await grant.hasTarget(in: database)
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        return try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, user, occasion) {
                guard isApp else { return Refusal(.appNotFound) }
                guard request.principal.covers(grant) else { return Refusal(.permissionDenied) }
                var before: [AdminGrant] = []
                let refusal = try await transaction.refusal(toChange: user, by: request) { grants in
                    before = grants
                    return grants.filter { $0.app != grant.app } + [grant]
                }
                if let refusal { return refusal }
                guard let known = try await transaction.batch({ $0.user(user) }) else { return Refusal(.notFound) }
                guard known.emailVerifiedAt != nil, !known.isDeactivated else {
                    return Refusal(.conflict, detail: "This user cannot sign in: not joined yet, or deactivated.")
                }
                guard !before.contains(grant) else { return nil }
                try await transaction.batch { batch in
                    batch.refuseInvitations(of: known, at: occasion.now)
                    batch.setAdminGrant(grant, of: user, id: occasion.id(), at: occasion.now)
                    batch.record(occasion.event(.adminGranted, by: request.actor, userID: user).about(grant))
                }
                return nil
            }
        }
    }

    /// Takes away the role that somebody has for an app, or for all; what they were invited to is void, too.
    package func remove(
        from user: UserID, for app: AppID?, for request: AdminRequest
    ) async throws -> AdminOutcome<UserID> {
        guard let scope = try await database.scope(of: .gatepost) else { return .refused(Refusal(.appNotFound)) }
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        return try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, user, occasion) {
                let refusal = try await transaction.refusal(toChange: user, by: request) { grants in
                    grants.filter { $0.app != app }
                }
                if let refusal { return refusal }
                guard let known = try await transaction.batch({ $0.user(user) }),
                    let grant = try await transaction.batch({ $0.admins(only: user, limit: 1) }).first?.grants
                        .first(where: { $0.app == app })
                else { return Refusal(.notFound) }
                try await transaction.batch { batch in
                    _ = batch.deleteAdminGrant(of: user, for: app)
                    batch.refuseInvitations(of: known, at: occasion.now)
                    batch.record(occasion.event(.adminRevoked, by: request.actor, userID: user).about(grant))
                }
                return nil
            }
        }
    }
}

extension AdminGrant {
    /// Whether the app that it is for exists; true for all apps.
    func hasTarget(in database: Database) async throws -> Bool {
        guard let app else { return true }
        return try await database.scope(of: app) != nil
    }
}

extension AppBatch {
    /// Refuses what an admin was invited to: what somebody decides about them now is newer.
    fileprivate mutating func refuseInvitations(of user: UserRecord, at now: Instant) {
        guard let email = EmailAddress(user.email) else { return }
        supersedeFlows(.adminInvitation, of: email, at: now)
    }
}
