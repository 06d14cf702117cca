import GatepostDelivery
import GatepostModel
import TestSupport

/// Which function takes which kind of step.
extension World {
    /// Takes a step of a kind; returns the name it is counted by, nil if it cannot happen now.
    func take(_ kind: StepKind) async throws -> String? {
        if kind == .runJob { return try await runJob() }
        let isTaken =
            if let taken = try await takePeoples(kind) {
                taken
            } else if let taken = try await takeAdmins(kind) {
                taken
            } else if let taken = try await takeWorkers(kind) {
                taken
            } else {
                try await takeMachines(kind)
            }
        return isTaken ? kind.rawValue : nil
    }

    /// People's steps; nil for another kind.
    private func takePeoples(_ kind: StepKind) async throws -> Bool? {
        switch kind {
        case .signUp: try await signUpSomebodyNew()
        case .signUpAgain: try await signUpAgain()
        case .resendMail: try await resendMail()
        case .verifyByLink: try await verifyByLink()
        case .verifyByLinkElsewhere: try await verifyByLinkElsewhere()
        case .verifyByCode: try await verifyByCode()
        case .tryWrongCode: try await tryWrongCodes()
        case .useLinkAgain: try await useLinkAgain()
        case .signIn: try await signIn(isRight: true)
        case .tryWrongPassword: try await signIn(isRight: false)
        case .exchangeCode: try await exchangeCode()
        case .exchangeWithWrongVerifier: try await exchangeWithWrongVerifier()
        case .exchangeCodeAgain: try await exchangeCodeAgain()
        case .refresh: try await refreshNewest()
        case .repeatRefresh: try await repeatRefresh()
        case .replayOldRefreshToken: try await replayOldRefreshToken()
        case .useAccessToken: try await useAccessToken()
        case .signOut: try await signOut()
        case .signOutEverywhere: try await signOutEverywhere()
        case .presentSecretElsewhere: try await presentSecretElsewhere()
        case .raceForLink: try await raceForLink()
        case .raceForCode: try await raceForCode()
        case .raceForRefresh: try await raceForRefresh()
        default: nil
        }
    }

    /// Admins' steps; nil for another kind.
    private func takeAdmins(_ kind: StepKind) async throws -> Bool? {
        switch kind {
        case .deactivate: try await deactivate()
        case .reactivate: try await reactivate()
        case .cancelMessage: try await cancelMessage()
        case .holdMessage: try await holdMessage()
        case .releaseMessage: try await releaseMessage()
        case .resendMessage: try await resendMessage()
        case .redriveMessage: try await redriveMessage()
        case .redriveAll: try await redriveAll()
        case .addEndpoint: try await addEndpoint()
        case .changeEndpoint: try await changeEndpoint()
        case .deleteEndpoint: try await deleteEndpoint()
        case .rotateEndpointSecret: try await rotateEndpointSecret()
        case .repeatRequest: try await repeatRequest()
        default: nil
        }
    }

    /// Workers' steps; nil for another kind.
    private func takeWorkers(_ kind: StepKind) async throws -> Bool? {
        switch kind {
        case .startWorker: try await startWorker()
        case .stopWorker: try await stopWorker()
        case .claim: try await claim()
        case .lookEverywhere: try await lookEverywhere()
        case .beginDelivery: await beginDelivery()
        case .endDelivered: await endDelivery(.delivered)
        case .endTransient: await endDelivery(.transient)
        case .endPermanent: await endDelivery(.permanent)
        case .endIndeterminate: await endDelivery(.indeterminate)
        case .endObsolete: await endDelivery(nil)
        case .settle: try await settle()
        case .settleTwice: try await settleTwice()
        case .crashAfterClaim: await crash { !$0.claimed.isEmpty && $0.inFlight.isEmpty && $0.unsettled.isEmpty }
        case .crashInDelivery: await crash { !$0.inFlight.isEmpty }
        case .crashBeforeSettling: await crash { !$0.unsettled.isEmpty }
        case .crashInSettling: try await failInSettling(crashes: true)
        case .failInSettling: try await failInSettling(crashes: false)
        default: nil
        }
    }

    /// What time and Postgres do.
    private func takeMachines(_ kind: StepKind) async throws -> Bool {
        switch kind {
        case .millisecondsPass: clock.advance(by: .milliseconds(Int64(1 + chance.number(below: 400))))
        case .secondsPass: clock.advance(by: .seconds(Int64(1 + chance.number(below: 8))))
        case .minutesPass: clock.advance(by: .seconds(Int64(60 + chance.number(below: 1800))))
        case .hoursPass: clock.advance(by: .seconds(Int64(3600 + chance.number(below: 6 * 3600))))
        case .daysPass: clock.advance(by: .seconds(Int64(86400 + chance.number(below: 3 * 86400))))
        case .killConnections: try await witness.killConnections()
        case .loseCommit: return try await loseCommit()
        default: return false
        }
        return true
    }
}
