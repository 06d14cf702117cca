import GatepostModel
import GatepostStore

extension AppTransaction {
    /// Why somebody's rights as an admin may not be changed like this; nil where they may.
    ///
    /// To be called in the transaction of the change: it locks the owners, so that the answer stays true until the end,
    /// and reads anew what whoever asks may do, who may have lost it to somebody who held the locks before.
    ///
    /// - Parameters:
    ///   - user: Whose rights.
    ///   - request: Who asks.
    ///   - change: What they have afterwards, made of what they have now; nothing for a user who is deactivated.
    /// - Returns: The refusal.
    /// - Throws: `PostgresError`.
    func refusal(
        toChange user: UserID, by request: AdminRequest, _ change: ([AdminGrant]) -> [AdminGrant]
    ) async throws -> Refusal? {
        let owners = try await lockOwners()
        guard try await current(request.principal).may(.adminsWrite, in: nil) else {
            return Refusal(.permissionDenied)
        }
        let after = AdminPrincipal(.admin(user), grants: change(try await batch { $0.adminGrants(of: user) }))
        if request.principal.person == user, !after.may(.adminsWrite, in: nil) {
            return Refusal(.conflict, detail: "Nobody takes away their own right to administer.")
        }
        if owners == [user], !after.grants.contains(where: { $0.role == .owner }) {
            return Refusal(.conflict, detail: "This is the last owner who can sign in.")
        }
        return nil
    }

    /// Somebody as they are at this moment.
    private func current(_ principal: AdminPrincipal) async throws -> AdminPrincipal {
        guard case .admin(let user) = principal.identity else { return principal }
        return AdminPrincipal(principal.identity, grants: try await batch { $0.adminGrants(of: user) })
    }
}

extension AuditEvent {
    /// The same event with the role that it is about.
    func about(_ grant: AdminGrant) -> AuditEvent {
        var event = self
        event.details["role"] = grant.role.rawValue
        event.details["app"] = grant.app?.description ?? "all"
        return event
    }
}
