#include "llmbatch/app/commands.h"

int main(int argc, char** argv) { return llmbatch::run_program(argc, argv); }
