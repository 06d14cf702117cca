import GatepostModel
import Passwords

extension PasswordHasher {
    /// Hashes a password as the policy normalises it.
    func hash(_ password: Secret) async throws -> String {
        try await hash(PasswordPolicy.bytes(of: password.revealed))
    }

    /// Compares a password, as the policy normalises it, with a hash.
    func verify(_ password: Secret, against hash: String?) async throws -> PasswordVerdict {
        guard password.revealed.utf8.count <= PasswordPolicy.bytesMax else { return .differs }
        return try await verify(PasswordPolicy.bytes(of: password.revealed), against: hash)
    }
}
