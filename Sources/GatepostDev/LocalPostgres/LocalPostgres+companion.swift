/// What is needed to run a program beside the server, such as a pooler before it.
extension LocalPostgres {
    /// A folder below the server's own, which only its user and root can enter.
    ///
    /// - Parameter name: The folder's name.
    /// - Returns: Its path.
    /// - Throws: What the file system says.
    package nonisolated func makeFolder(_ name: String) throws -> String {
        let path = folder + "/" + name
        try user.makePrivateFolder(path)
        return path
    }

    /// The folder of the server's socket.
    package nonisolated var socket: String { socketFolder }

    /// How to run a program as the server's user: who refuses root, and may enter the server's folder.
    package nonisolated func command(
        _ program: String, _ arguments: [String]
    ) -> (program: String, arguments: [String]) {
        let command = user.command(program, arguments)
        return (command.program, command.arguments)
    }
}
