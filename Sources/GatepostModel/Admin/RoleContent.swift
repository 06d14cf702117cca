/// What an app calls a role of its users and what it permits; Gatepost gives it no meaning.
///
/// The roles of admins are something else: `AdminRole`.
package struct RoleContent: Sendable, Hashable {
    /// The most roles that an app has.
    package static let rolesMax = 100
    /// The most roles that a user has.
    package static let rolesOfUserMax = 20
    /// The most permissions of one role.
    package static let permissionsMax = 100
    /// What all permissions of an app together may take up in a token, in bytes: tokens travel in header fields.
    package static let permissionBytesMax = 2048
    /// The longest name, permission and description, in characters.
    package static let nameLengthMax = 40
    package static let permissionLengthMax = 64
    package static let descriptionLengthMax = 200

    /// `editor`: a small letter, then small letters, digits, `_`, `.`, `:` and `-`.
    package let name: String
    package let description: String
    /// `documents:write`, sorted, none twice: as a name, with `*` and `/` in addition.
    package let permissions: [String]
    /// Whether whoever has it proves a second factor.
    package var requiresFactor = false

    /// Takes a role as somebody wants it; nil for a name or a permission of other characters, or too many or too long.
    package init?(name: String, description: String, permissions: [String]) {
        guard Self.isSafe(name, lengthMax: Self.nameLengthMax, more: "_.:-"),
            description.unicodeScalars.count <= Self.descriptionLengthMax, !description.unicodeScalars.contains("\0"),
            permissions.count <= Self.permissionsMax,
            permissions.allSatisfy({ Self.isSafe($0, lengthMax: Self.permissionLengthMax, more: "_.:*/-") })
        else { return nil }
        (self.name, self.description) = (name, description)
        self.permissions = Set(permissions).sorted()
    }

    /// What permissions take up in a token: their letters, two quotes and a comma each.
    package static func bytes(of permissions: some Collection<String>) -> Int {
        permissions.reduce(0) { $0 + $1.utf8.count + 3 }
    }

    /// Whether a text stands in JSON, in a token and in a log as it is.
    private static func isSafe(_ text: String, lengthMax: Int, more: String) -> Bool {
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        guard (1...lengthMax).contains(text.utf8.count), text.utf8.first.map(letters.contains) == true else {
            return false
        }
        return text.utf8.allSatisfy { byte in
            letters.contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || more.utf8.contains(byte)
        }
    }
}

/// What a token says of its user's roles, where the app asks for it.
package struct RoleClaims: Sendable, Hashable {
    /// Their names, sorted.
    package let roles: [String]
    /// What they permit together, sorted, none twice.
    package let permissions: [String]

    /// Gathers what was read.
    package init(roles: [String], permissions: [String]) {
        (self.roles, self.permissions) = (roles, permissions)
    }
}
