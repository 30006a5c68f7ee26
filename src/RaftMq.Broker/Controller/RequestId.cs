using RaftMq.Raft;

namespace RaftMq.Broker.Controller;

/// <summary>Which request of which node: the same however often it is sent, and to whomever.</summary>
/// <param name="Node">Who asks for a client of its own.</param>
/// <param name="StartId">Of the asking process: what it said of itself when it registered (<see cref="NodeRecord"/>).</param>
/// <param name="Number">Grows with each request of that node, over its starts too.</param>
/// <param name="LowestOpen">The node waits for no answer to a request below this one any more.</param>
internal readonly record struct RequestId(ReplicaId Node, ulong StartId, long Number, long LowestOpen);
