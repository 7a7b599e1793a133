/* false - no success. */
int main(void)
{
	return 1;
}
