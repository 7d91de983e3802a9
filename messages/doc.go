// Package messages holds no code: below it is every word that the parts of a
// cluster, its frameworks and its operators say to each other. Anything may
// import these packages; they import protobuf and each other.
//
//   - mesos and the packages below it are the vocabulary of the Mesos v1 APIs.
//   - masters is where masters are.
//   - cluster is what the parts of a cluster say to each other beside it.
//   - json and recordio are the forms in which HTTP carries them; carrier is
//     how, and the one package here that knows HTTP: only faces import it.
//   - resources calculates with resources, operations says what reservations and
//     volumes make of them; validate checks messages; names
//     checks ids and roles; constraints tells which agents a framework wants;
//     tasks sorts the states of a task; field is the
//     error that checks return.
//
// # Who repeats what
//
// A message arrives at most once, in order while the link between two actors
// lasts; what was sent into a link that breaks may be lost. Whatever must
// arrive is therefore repeated by somebody, until something is heard. The
// table names for each message who that is. What nobody repeats either may be
// lost, or its loss shows in the next message of somebody else.
//
//	MESSAGE                      REPEATED BY                  UNTIL
//
//	Calls and events of mesos.v1, also over HTTP:
//	Call SUBSCRIBE               scheduler, executor          Event SUBSCRIBED
//	Call ACCEPT, DECLINE         nobody                       the offer is rescinded; a lost launch shows in RECONCILE
//	Call KILL                    the scheduler's author       the task's terminal update
//	Call ACKNOWLEDGE             scheduler                    the update does not come again
//	Call RECONCILE               scheduler                    every task named was answered by an update
//	Call UPDATE                  executor, in SUBSCRIBE       Event ACKNOWLEDGED
//	Event OFFERS                 nobody                       a broken link takes all offers back
//	Event UPDATE                 agent, see StatusUpdate      Call ACKNOWLEDGE; without uuid: nobody, RECONCILE asks
//	Event LAUNCH, LAUNCH_GROUP   agent, at each SUBSCRIBE     the executor's first update of the task
//	Event KILL                   the scheduler's author       the task's terminal update
//
//	To the master:
//	RegisterAgent                agent, backoff 1 s to 1 min  AgentRegistered, RegistrationRefused
//	ReregisterAgent              agent, backoff 1 s to 1 min  AgentReregistered, RegistrationRefused
//	UnregisterAgent              nobody                       the agent's Pings go unanswered
//	AgentHindered                agent, when it registers     it registers again
//	Pong                         nobody                       the next Ping
//	StatusUpdate                 agent, 10 s to 10 min        StatusUpdateAck
//	OperationUpdate              agent, 10 s to 10 min        OperationUpdateAck; without an id: in ReregisterAgent
//	UpdateAgentResources         agent, when it registers     it registers again
//	ExecutorExited               nobody                       its tasks' updates tell
//	ExecutorMessage              nobody                       may be lost
//	Allocations                  nobody                       StartAllocator begins anew after a break
//	Preempt                      allocator, while it must      the tasks' resources are free
//	KillTaskRequest              the operator                 OperatorReply
//	TeardownRequest              the operator                 OperatorReply
//	AgentRequest                 the operator                 OperatorReply
//	OperationRequest             the operator                 OperatorReply
//	QuotaRequest, WeightsRequest the operator                 OperatorReply
//	MaintenanceRequest           the operator                 OperatorReply
//	ReservationRequest           the operator                 OperatorReply
//	OperatorReply                master, per request          may be lost; the request can be repeated
//
//	To whoever takes a master for the leader:
//	NotLeading                   master, per request          may be lost; whoever asked asks again, anybody
//
//	To the agent:
//	AgentRegistered              master, per RegisterAgent    the agent stops asking
//	AgentReregistered            master, per ReregisterAgent  the agent stops asking
//	RegistrationRefused          master, per request          the agent stops asking
//	ShutdownAgent                master, per ReregisterAgent  the agent stays away
//	Ping                         observer, every interval     Pong; after too many the agent is unreachable
//	RunTask, RunTaskGroup        nobody                       AgentReregistered names the task as missing
//	ApplyOperation               nobody                       AgentReregistered names the operation as missing
//	OperationUpdateAck           scheduler, through master    OperationUpdate does not come again
//	KillTask                     master, when agents return   the task's terminal update
//	StatusUpdateAck              scheduler, through master    the update does not come again
//	ShutdownExecutor             the scheduler's author       the executor's tasks end
//	ShutdownFramework            master                       agents name the framework no more, in updates or ReregisterAgent
//	UpdateFramework              master                       ReregisterAgent names the framework as it is
//	ResendUpdates                master, at each SUBSCRIBE    StatusUpdate repeats itself
//	DrainAgent                   master, per ReregisterAgent  nothing runs there any more
//	FrameworkMessage             nobody                       may be lost
//	HostReady                    host, every second           HostReadyAck
//	HostedContainer              host, in HostReady           HostReadyAck
//	ContainerLaunched            host, per LaunchContainer    HostReady names the container
//	ContainerEnded               host                         ContainerEndedAck
//	ContainerLimit               host, in ContainerEnded      ContainerEndedAck
//	ContainerProgress            host, every few seconds      ContainerLaunched, ContainerEnded
//
//	To an executor host:
//	LaunchContainer              agent, after HostReady       ContainerLaunched, ContainerEnded
//	HostReadyAck                 agent, per HostReady         HostReady does not come again
//	ContainerAmounts             agent, in LaunchContainer    ContainerLaunched, ContainerEnded
//	ContainerVolume              agent, in ContainerAmounts   as its container
//	UpdateContainer              agent, after each HostReady  a newer one, ContainerEnded
//	DestroyContainer             agent, every 10 s            ContainerEnded
//	ContainerEndedAck            agent, per ContainerEnded    ContainerEnded does not come again
//	StopHost                     agent, after HostReady       the host's link ends
//
//	About containers that clients of the agent's HTTP API launch, or look into:
//	ContainerCall                the client                   ContainerAnswer
//	ContainerCallSent            agent, per ContainerCall     may be lost; ContainerAnswer follows
//	ContainerAnswer              host, per ContainerCall      the link to the visitor breaks
//	ContainerOutput              nobody                       ContainerOutputTaken, or the link breaks
//	ContainerOutputTaken         nobody                       the link breaks
//	ContainerOutputEnd           nobody                       the link breaks
//	ContainerInput               nobody                       ContainerInputTaken, or the link breaks
//	ContainerInputTaken          nobody                       the link breaks
//	ContainerInputLeave          nobody                       ContainerInputLeft, or the link breaks
//	ContainerInputLeft           nobody                       the link breaks, or 5 s have passed
//	ContainerRemoved             nobody                       HostReady does not name the container
//	SandboxRetired               host, in HostReady           the container is removed, or its executor ends
//
//	To the allocator, which shares the master's process:
//	StartAllocator               master, after every break    the link holds
//	AddAgent, UpdateAgent        nobody                       StartAllocator begins anew after a break
//	RemoveAgent                  nobody                       StartAllocator begins anew after a break
//	AddFramework                 nobody                       StartAllocator begins anew after a break
//	DeactivateFramework          nobody                       StartAllocator begins anew after a break
//	RemoveFramework              nobody                       StartAllocator begins anew after a break
//	RecoverResources             nobody                       StartAllocator begins anew after a break
//	TakeResources                nobody                       StartAllocator begins anew after a break
//	SuppressOffers, ReviveOffers nobody                       StartAllocator begins anew after a break
//	RequestResources             nobody                       may be lost
//	UpdateWeights                nobody                       StartAllocator begins anew after a break
//	UpdateQuota                  nobody                       StartAllocator begins anew after a break
//	ExplainOffers                whoever asks                 OffersExplained
//	OffersExplained              allocator, per ExplainOffers may be lost; people ask again
//
//	To a replica, where masters keep the registry among themselves:
//	ReplicaRequest               Raft, as long as it matters  ReplicaReply
//	ReplicaReply                 replica, per request         may be lost; the request is repeated
//	LogEntry                     the leader, in Append        a majority has it
//	IdentifyReplica              a new replica, every second  ReplicaIdentity
//	ReplicaIdentity              replica, per IdentifyReplica may be lost; the question is repeated
//
//	Kept on disk, never sent:
//	RegistryHeader               -                            the master's registry, as are the next
//	RegistryRecord               -                            the record's next change
//	AgentRecord                  -                            the agent's next operation
//	FrameworkRecord              -                            the framework's next operation
//	QuotaRecord                  -                            the role's next quota
//	MachineRecord                -                            the machine's next operation
//	StandingReservation          -                            its next version, its end
//	RegistryEntry                -                            a snapshot of the replicated registry
//	RegistryBatch                -                            a snapshot of the replicated registry
//	RegistrySnapshot             -                            the next snapshot
//	StoredRecord                 -                            the record's next change
//	RegistryRoot                 -                            the next snapshot, the next term
//	RegistrySegment              -                            the next snapshot
//	JournalBatch, JournalRecord  -                            the agent's journal, as are the rest
//	AgentIdentity                -                            the next AgentIdentity
//	FrameworkDescribed           -                            FrameworkForgotten
//	FrameworkForgotten           -                            a compaction of the journal
//	ExecutorAccepted             -                            its last task's TaskForgotten
//	LaunchAccepted               -                            ContainerGone, TaskForgotten
//	ContainerGone                -                            a compaction of the journal
//	UpdateAccepted               -                            UpdateAcknowledged
//	UpdateAcknowledged           -                            TaskForgotten
//	TaskForgotten                -                            a compaction of the journal
//	HostStarted                  -                            HostForgotten
//	HostForgotten                -                            a compaction of the journal
//	AgentForgotten               -                            a compaction of the journal
//	DrainAccepted                -                            the next DrainAccepted
//	ResourcesConverted           -                            the next ResourcesConverted
//	OperationAccepted            -                            OperationAcknowledged
//	OperationAcknowledged        -                            a compaction of the journal
package messages
