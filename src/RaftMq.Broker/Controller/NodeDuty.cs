namespace RaftMq.Broker.Controller;

/// <summary>What the cluster wants of a node. Stored as a number; never change one.</summary>
public enum NodeDuty
{
    /// <summary>It takes replicas and leads.</summary>
    Serving = 0,

    /// <summary>It takes no new replicas and does not lead; those it has go to other nodes.</summary>
    Draining = 1,

    /// <summary>As draining; once nothing is left there it leaves the controller group and then the cluster, for ever.</summary>
    Leaving = 2,
}
