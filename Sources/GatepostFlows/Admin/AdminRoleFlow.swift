package import GatepostModel
package import GatepostOutbox
package import GatepostStore

/// What admins do with the roles of an app's users: make, change and delete them, give and take them.
///
/// A change is in the next token of each user, a refreshed one too; a token that is out lives on for its own life.
package struct AdminRoleFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let signal: OutboxSignal

    /// Wires the flow; the signal wakes a worker in the same process, if there is one.
    package init(
        database: Database, clock: any WallClock, random: any RandomSource, signal: OutboxSignal = OutboxSignal()
    ) {
        (self.database, self.clock, self.random, self.signal) = (database, clock, random, signal)
    }

    /// One page of an app's roles, oldest first.
    package func roles(after cursor: PageCursor?, limit: Int, in scope: AppScope) async throws -> [RoleRecord] {
        try await database.batch(in: scope) { $0.roles(after: cursor, limit: limit) }
    }

    /// One role; nil if the app has none of this id.
    package func role(_ id: RoleID, in scope: AppScope) async throws -> RoleRecord? {
        try await database.batch(in: scope) { $0.role(id) }
    }

    /// Makes a role.
    package func create(
        _ content: RoleContent, for request: AdminRequest, in scope: AppScope
    ) async throws -> AdminOutcome<RoleID> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        let id: RoleID = occasion.id()
        return try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, id, occasion) {
                let others = try await transaction.lockedRoles()
                guard others.count < RoleContent.rolesMax else {
                    return Refusal(.conflict, detail: "The app has \(RoleContent.rolesMax) roles.")
                }
                if let refusal = Self.refusal(of: content, among: others, in: scope) { return refusal }
                let event = occasion.event(.roleCreated, by: request.actor).about(id, content)
                try await transaction.batch { batch in
                    batch.insertRole(id, content, at: occasion.now)
                    batch.record(event)
                }
                return nil
            }
        }
    }

    /// Changes a role, and the event names what it permits now; what changes nothing is no event.
    ///
    /// - Parameters:
    ///   - id: Which.
    ///   - request: Who asks.
    ///   - scope: The app.
    ///   - change: What it is to be, made of what it is; nil where that cannot be.
    /// - Returns: The role's id, or why not.
    /// - Throws: `PostgresError`.
    package func change(
        _ id: RoleID, for request: AdminRequest, in scope: AppScope,
        _ change: @Sendable (RoleRecord) -> RoleContent?
    ) async throws -> AdminOutcome<RoleID> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        return try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, id, occasion) {
                let all = try await transaction.lockedRoles()
                guard let before = all.first(where: { $0.id == id }) else { return Refusal(.notFound) }
                guard let content = change(before) else { return Refusal(.invalidRequest) }
                let others = all.filter { $0.id != id }
                if let refusal = Self.refusal(of: content, among: others, in: scope) { return refusal }
                guard before.content != content else { return nil }
                var event = occasion.event(.roleChanged, by: request.actor).about(id, content)
                if before.name != content.name { event.details["name_before"] = before.name }
                try await transaction.batch { [event] batch in
                    batch.changeRole(id, content, at: occasion.now)
                    batch.record(event)
                }
                return nil
            }
        }
    }

    /// Deletes a role; whoever has it has it no more.
    package func delete(
        _ id: RoleID, for request: AdminRequest, in scope: AppScope
    ) async throws -> AdminOutcome<RoleID> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        return try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, id, occasion) {
                let known = try await transaction.lockedRoles().first { $0.id == id }
                guard let content = known?.content else { return Refusal(.notFound) }
                let event = occasion.event(.roleDeleted, by: request.actor).about(id, content)
                try await transaction.batch { batch in
                    batch.deleteRole(id)
                    batch.record(event)
                }
                return nil
            }
        }
    }

    /// Gives a user a role, or takes it from them; what is so already is no change and no event.
    package func setAssigned(
        _ isAssigned: Bool, _ role: RoleID, of user: UserID, for request: AdminRequest, in scope: AppScope
    ) async throws -> AdminOutcome<UserID> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        let outcome = try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, user, occasion) {
                guard try await transaction.lockUser(user) else { return Refusal(.notFound) }
                let (known, had) = try await transaction.batch { batch in
                    let known = batch.role(role)
                    return known.and(batch.roles(of: user))
                }
                guard let content = known?.content else { return Refusal(.notFound) }
                if let refusal = Self.refusal(toAssign: isAssigned, role, beside: had, in: scope) { return refusal }
                let isChanged = try await transaction.batch { batch in
                    isAssigned
                        ? batch.assignRole(role, to: user, at: occasion.now) : batch.unassignRole(role, from: user)
                }
                guard isChanged else { return nil }
                let kind: AuditEvent.Kind = isAssigned ? .roleAssigned : .roleUnassigned
                let event = occasion.event(kind, by: request.actor, userID: user).about(role, content)
                try await transaction.batch { batch in
                    batch.owe(.userRolesChanged, about: user, at: occasion.now)
                    batch.record(event)
                }
                return nil
            }
        }
        signal.raise()
        return outcome
    }

    private static func refusal(
        toAssign isAssigned: Bool, _ role: RoleID, beside had: [RoleRecord], in scope: AppScope
    ) -> Refusal? {
        guard isAssigned, !had.contains(where: { $0.id == role }) else { return nil }
        return had.count < RoleContent.rolesOfUserMax
            ? nil : Refusal(.conflict, detail: "The user has \(RoleContent.rolesOfUserMax) roles.")
    }

    /// Why the app cannot have such a role beside its others.
    private static func refusal(
        of content: RoleContent, among others: [RoleRecord], in scope: AppScope
    ) -> Refusal? {
        guard scope.appID != .gatepost else {
            return Refusal(.conflict, detail: "The users of the built-in app are admins: see /v1/admin/admins.")
        }
        guard !others.contains(where: { $0.name == content.name }) else {
            return Refusal(.conflict, detail: "The app has a role of this name.")
        }
        let all = Set(others.flatMap(\.permissions)).union(content.permissions)
        guard RoleContent.bytes(of: all) <= RoleContent.permissionBytesMax else {
            return Refusal(
                .conflict,
                detail: "All permissions of the app together take up more than "
                    + "\(RoleContent.permissionBytesMax) bytes in a token.")
        }
        return nil
    }
}

extension RoleRecord {
    /// What it is called and permits; nil for a row that no version of this program has written.
    package var content: RoleContent? {
        var content = RoleContent(name: name, description: description, permissions: permissions)
        content?.requiresFactor = requiresFactor
        return content
    }
}

extension AppTransaction {
    /// All roles of the app, which nobody else changes until the end.
    fileprivate func lockedRoles() async throws -> [RoleRecord] {
        try await batch { batch in
            batch.lockRoles()
            return batch.roles()
        }
    }
}

extension AuditEvent {
    /// The same event with the role that it is about.
    fileprivate func about(_ role: RoleID, _ content: RoleContent) -> AuditEvent {
        var event = self
        event.details["role"] = role.description
        event.details["name"] = content.name
        event.details["permissions"] = content.permissions.joined(separator: " ")
        if content.requiresFactor { event.details["requires_second_factor"] = "true" }
        return event
    }
}
