/// Where a session asks its script what to do.
extension SMTPSession {
    /// Asks at a stage; true to proceed, false if the script has answered in the server's place, nil to hang up.
    func consult(_ stage: SMTPScript.Stage) async throws -> Bool? {
        let (behaviour, stall) = setup.script.arrive(at: moment(stage))
        switch behaviour {
        case .proceed:
            return true
        case .reply(let code, let text):
            try await reply(code, text)
            return false
        case .close, .closeAfterAccepting:
            return nil
        case .delay(let duration):
            try await Task.sleep(for: duration)
            return true
        case .stall, .stallAfterAccepting:
            if let stall { try await setup.script.wait(for: stall) }
            return true
        }
    }

    /// Asks at a stage where a reply of the script's ends the connection.
    func proceeds(at stage: SMTPScript.Stage) async throws -> Bool {
        try await consult(stage) ?? false
    }

    func moment(_ stage: SMTPScript.Stage) -> SMTPScript.Moment {
        SMTPScript.Moment(
            stage: stage, connection: connection, mailOfConnection: mailCount, envelopeFrom: envelopeFrom,
            recipients: recipients)
    }
}
