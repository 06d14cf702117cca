import Foundation

/// The user that the server runs as.
///
/// PostgreSQL refuses to run as root. So root runs it as the owner of the data, or where there are none as `postgres`,
/// or as `nobody` where that user does not exist. Anybody else runs it as themselves.
struct ServerUser: Sendable {
    /// The user and group to change to; nil to stay who we are.
    struct Identity: Sendable, Equatable {
        let name: String
        let userID: Int
        let groupID: Int
    }

    let identity: Identity?

    /// Decides for a data folder, which need not exist.
    static func choose(forData data: String) async throws -> ServerUser {
        let attributes = try? FileManager.default.attributesOfItem(atPath: data)
        let owner = (attributes?[.ownerAccountID] as? NSNumber)?.intValue
        guard geteuid() == 0 else {
            guard owner == nil || owner == Int(geteuid()) else {
                throw LocalPostgresError.folderOfAnotherUser(folder: data)
            }
            return ServerUser(identity: nil)
        }
        if let owner, owner != 0 {
            return ServerUser(identity: try await identity(of: String(owner)))
        }
        if let postgres = try? await identity(of: "postgres") {
            return ServerUser(identity: postgres)
        }
        return ServerUser(identity: try await identity(of: "nobody"))
    }

    /// The arguments that run a program as this user.
    func command(_ program: String, _ arguments: [String]) -> ShortCommand {
        guard let identity else { return ShortCommand(program: program, arguments: arguments) }
        return ShortCommand(
            program: "/usr/bin/setpriv",
            arguments: [
                "--reuid=\(identity.userID)", "--regid=\(identity.groupID)", "--clear-groups", program,
            ] + arguments)
    }

    /// Makes a folder that only this user, and root, can enter.
    ///
    /// Access to the socket is not checked by password: who may enter the folder may do everything.
    func makePrivateFolder(_ folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o700]
        if let identity {
            attributes[.ownerAccountID] = NSNumber(value: identity.userID)
            attributes[.groupOwnerAccountID] = NSNumber(value: identity.groupID)
        }
        try FileManager.default.setAttributes(attributes, ofItemAtPath: folder)
    }

    /// Throws, naming the folder that is closed, unless this user can enter a folder.
    func checkReach(of folder: String) async throws {
        guard let identity, try await !canEnter(folder) else { return }
        var parents: [String] = []
        var parent = URL(fileURLWithPath: folder).deletingLastPathComponent()
        while parent.path != "/" {
            parents.append(parent.path)
            parent = parent.deletingLastPathComponent()
        }
        for parent in parents.reversed() where try await !canEnter(parent) {
            throw LocalPostgresError.folderUnreachable(folder: parent, user: identity.name)
        }
        throw LocalPostgresError.folderUnreachable(folder: folder, user: identity.name)
    }

    private func canEnter(_ folder: String) async throws -> Bool {
        try await command("/usr/bin/test", ["-x", folder]).run().status == 0
    }

    private static func identity(of user: String) async throws -> Identity {
        func ask(_ option: String) async throws -> String {
            let outcome = try await ShortCommand(program: "/usr/bin/id", arguments: [option, user]).run()
            return outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        guard let userID = Int(try await ask("-u")), let groupID = Int(try await ask("-g")) else {
            throw LocalPostgresError.failed(program: "id", output: "there is no user \(user)")
        }
        return Identity(name: try await ask("-un"), userID: userID, groupID: groupID)
    }
}
