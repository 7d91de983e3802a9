/* Computes pi: each rank adds up its share of the area under 4/(1+x*x). With
 * the name of a file, rank 0 says that it has begun and waits for the file. */
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const int steps = 10000000;
	double mine = 0, pi = 0;
	int rank, ranks;

	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &ranks);
	if (rank == 0 && argc > 1) {
		printf("began\n");
		fflush(stdout);
		while (access(argv[1], F_OK) != 0)
			usleep(10000);
	}
	for (int i = rank; i < steps; i += ranks) {
		double x = (i + 0.5) / steps;
		mine += 4 / (1 + x * x) / steps;
	}
	MPI_Reduce(&mine, &pi, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
	if (rank == 0)
		printf("pi is %.9f, by %d ranks\n", pi, ranks);
	MPI_Finalize();
	return 0;
}
