namespace RaftMq.Simulation.World;

/// <summary>Stands for the end of the process in <c>INodeEnvironment.Fatal</c>: unwinds the node's code.</summary>
public sealed class NodeStoppedException : Exception
{
    public NodeStoppedException(string message)
        : base(message)
    {
    }

    public NodeStoppedException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    public NodeStoppedException()
    {
    }
}
